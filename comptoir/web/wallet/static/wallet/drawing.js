// Digits as a QR code and as bars, drawn as SVG paths. Only what a payment code needs: up to 27 digits.

// ---------------------------------------------------------------- QR code (ISO/IEC 18004, Model 2)
// One size is enough: version 1 (21 modules a side), numeric mode, level Q (a quarter may be unreadable).

const SIZE = 21;
const DATA_WORDS = 13;
const CHECK_WORDS = 13;
const QUIET = 4;
const LEVEL_Q = 0b11;

const MASKS = [
  (y, x) => (y + x) % 2 === 0,
  (y) => y % 2 === 0,
  (y, x) => x % 3 === 0,
  (y, x) => (y + x) % 3 === 0,
  (y, x) => ((y >> 1) + Math.floor(x / 3)) % 2 === 0,
  (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
];

// The rows of the code of `digits`: true is dark. The mask is the one that leaves the fewest traps for a
// reader, as the standard wants it.
export function qrModules(digits) {
  const words = dataWords(digits);
  const bits = [...words, ...checkWords(words)].flatMap((word) => bitsOf(word, 8));
  const drawn = MASKS.map((_, mask) => filled(bits, mask));
  return drawn.reduce((best, one) => (penalty(one) < penalty(best) ? one : best));
}

function bitsOf(value, length) {
  return Array.from({ length }, (_, i) => (value >> (length - 1 - i)) & 1);
}

function dataWords(digits) {
  if (!/^[0-9]{1,27}$/.test(digits)) throw new RangeError("1 to 27 digits fit");
  const bits = [...bitsOf(0b0001, 4), ...bitsOf(digits.length, 10)];
  for (const part of digits.match(/.{1,3}/g)) bits.push(...bitsOf(Number(part), [4, 7, 10][part.length - 1]));
  bits.push(...Array(Math.min(4, DATA_WORDS * 8 - bits.length)).fill(0));
  while (bits.length % 8) bits.push(0);
  const words = bits.join("").match(/.{8}/g).map((word) => parseInt(word, 2));
  for (let pad = 0xec; words.length < DATA_WORDS; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

function times(a, b) {
  // In the field of 256 elements that the standard uses (polynomial 0x11d).
  let product = 0;
  for (; b; b >>= 1, a = (a << 1) ^ (a & 0x80 ? 0x11d : 0)) if (b & 1) product ^= a;
  return product;
}

function checkWords(words) {
  let generator = [1];
  for (let root = 1, i = 0; i < CHECK_WORDS; i++, root = times(root, 2)) {
    generator = [...generator, 0].map((one, j) => one ^ times(generator[j - 1] ?? 0, root));
  }
  const rest = [...words, ...Array(CHECK_WORDS).fill(0)];
  for (let i = 0; i < words.length; i++) {
    const factor = rest[i];
    generator.forEach((one, j) => (rest[i + j] ^= times(one, factor)));
  }
  return rest.slice(words.length);
}

function filled(bits, mask) {
  const rows = Array.from({ length: SIZE }, () => Array(SIZE).fill(null));
  for (const [top, left] of [[0, 0], [0, SIZE - 7], [SIZE - 7, 0]]) finder(rows, top, left);
  for (let i = 8; i < SIZE - 8; i++) rows[6][i] = rows[i][6] = i % 2 === 0;
  formatBits(rows, mask);
  let next = 0;
  for (let right = SIZE - 1; right > 0; right -= right === 8 ? 3 : 2) {
    const upwards = ((right + 1) & 2) === 0;
    for (let step = 0; step < SIZE; step++) {
      const y = upwards ? SIZE - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (rows[y][x] === null) rows[y][x] = Boolean(bits[next++]) !== MASKS[mask](y, x);
      }
    }
  }
  return rows;
}

function finder(rows, top, left) {
  for (let y = -1; y <= 7; y++) {
    for (let x = -1; x <= 7; x++) {
      if (rows[top + y]?.[left + x] === undefined) continue;
      const ring = Math.max(Math.abs(y - 3), Math.abs(x - 3));
      rows[top + y][left + x] = ring !== 2 && ring !== 4;
    }
  }
}

function formatBits(rows, mask) {
  const data = (LEVEL_Q << 3) | mask;
  let rest = data << 10;
  for (let i = 14; i >= 10; i--) if ((rest >> i) & 1) rest ^= 0x537 << (i - 10);
  const bits = ((data << 10) | rest) ^ 0x5412;
  for (let i = 0; i < 15; i++) {
    const dark = ((bits >> i) & 1) === 1;
    rows[i < 6 ? i : i < 8 ? i + 1 : SIZE - 15 + i][8] = dark;
    rows[8][i < 8 ? SIZE - 1 - i : i < 9 ? 7 : 14 - i] = dark;
  }
  rows[SIZE - 8][8] = true;
}

function penalty(rows) {
  const columns = rows.map((_, x) => rows.map((row) => row[x]));
  const lines = [...rows, ...columns].map((line) => line.map(Number).join(""));
  let points = 0;
  for (const line of lines) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) points += run.length - 2;
    points += 40 * (line.match(/(?=00001011101|10111010000)/g) ?? []).length;
  }
  for (let y = 1; y < SIZE; y++) {
    for (let x = 1; x < SIZE; x++) {
      const same = [rows[y - 1][x - 1], rows[y - 1][x], rows[y][x - 1]].every((one) => one === rows[y][x]);
      if (same) points += 3;
    }
  }
  const dark = rows.flat().filter(Boolean).length / SIZE ** 2;
  return points + 10 * Math.floor(Math.abs(dark - 0.5) / 0.05);
}

export function qrPicture(digits) {
  const parts = qrModules(digits).flatMap((row, y) =>
    row.flatMap((dark, x) => (dark ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])),
  );
  const side = SIZE + 2 * QUIET;
  return { viewBox: `0 0 ${side} ${side}`, modules: side, path: parts.join("") };
}

// ---------------------------------------------------------------- bars (ISO/IEC 15417, Code 128, set C)
// Two digits a symbol. The widths of bar, space, bar ... of the values 0 to 106, of which 105 begins and 106
// ends a code in set C.

const WIDTHS = (
  "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 " +
  "113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 " +
  "212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 " +
  "113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 " +
  "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 " +
  "241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 " +
  "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 " +
  "211232 2331112"
).split(" ");
const START_C = 105;
const STOP = 106;
const BAR_QUIET = 10;
const BAR_HEIGHT = 40;

export function barPicture(digits) {
  if (!/^([0-9]{2})+$/.test(digits)) throw new RangeError("an even number of digits");
  const pairs = digits.match(/../g).map(Number);
  const check = pairs.reduce((sum, pair, i) => sum + pair * (i + 1), START_C) % 103;
  let at = BAR_QUIET;
  const parts = [];
  for (const value of [START_C, ...pairs, check, STOP]) {
    [...WIDTHS[value]].forEach((width, i) => {
      if (i % 2 === 0) parts.push(`M${at} 0h${width}v${BAR_HEIGHT}h-${width}z`);
      at += Number(width);
    });
  }
  const modules = at + BAR_QUIET;
  return { viewBox: `0 0 ${modules} ${BAR_HEIGHT}`, modules, path: parts.join("") };
}

// Puts a picture into an <svg> of the page, as wide as its style says or a little less.
export function draw(svg, { viewBox, modules, path }) {
  svg.setAttribute("viewBox", viewBox);
  let drawn = svg.querySelector("path");
  if (!drawn) drawn = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  drawn.setAttribute("d", path);
  svg.style.width = wholePixels(svg, modules);
}

// The width in which every module is as many pixels of the screen as every other. Elsewhere some bars are a pixel
// wider than they should be, and a reader that sees them small takes one code for another. Where a module would be
// a single pixel, width matters more.
function wholePixels(svg, modules) {
  svg.style.width = "";
  const scale = window.devicePixelRatio;
  const pixels = Math.floor((svg.getBoundingClientRect().width * scale) / modules);
  return pixels > 1 ? `${(pixels * modules) / scale}px` : "";
}
