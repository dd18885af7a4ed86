// One-time payment codes made on the phone itself, without a network: the same digits as
// comptoir/standards/payment_code.py makes of the same seed at the same moment (tests compare them).

// A code lives in one window of this many milliseconds since 1970, and in the next.
export const STEP = 30_000;

const DOMAIN = new TextEncoder().encode("comptoir/payment-code/1");

export const windowOf = (at) => Math.floor(at / STEP);

// The seed as a key that signs and that nobody can read again, not even this page.
export const keyOf = (seed) =>
  crypto.subtle.importKey("raw", seed, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

// RFC 6238 with HMAC-SHA-256: seven digits for a window and a refresh counter (0 to 9).
export async function passwordOf(key, window, n) {
  const message = new Uint8Array(9 + DOMAIN.length);
  new DataView(message.buffer).setBigUint64(0, BigInt(window));
  message[8] = n;
  message.set(DOMAIN, 9);
  const digest = new DataView(await crypto.subtle.sign("HMAC", key, message));
  const offset = digest.getUint8(digest.byteLength - 1) & 15;
  return String((digest.getUint32(offset) & 0x7fffffff) % 10 ** 7).padStart(7, "0");
}

// All digits to show: `head` says whose code it is (28, or 28668802 in the long form).
export async function codeOf(head, device, window, n) {
  return `${head}${String(device.number).padStart(8, "0")}${n}${await passwordOf(device.key, window, n)}`;
}
