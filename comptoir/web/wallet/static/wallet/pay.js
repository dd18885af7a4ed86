// The pay code page: a fresh code every half minute, and what became of it.
// All words are in the page; here is only which of them are shown.

import { codeOf, STEP, windowOf } from "./code.js";
import { clock, device, measured, standing } from "./device.js";
import { barPicture, draw, qrPicture } from "./drawing.js";

const POLL_MS = 2_000;
const POLL_HIDDEN_MS = 15_000;
// A network that says nothing for so long is none.
const SILENCE_MS = 8_000;

const page = document.getElementById("pay");
const part = (name) => page.querySelector(`[data-part=${name}]`);
const ring = part("ring");

let own;
let kept;
let used = new Set();
let since;
let shownWindow;
let online = true;
let foreign = false;
let frozen = false;

function show(state) {
  for (const one of page.querySelectorAll("[data-when]")) {
    one.hidden = !one.dataset.when.split(" ").includes(state);
  }
  // Without a code to show, its own text says what to do about the network.
  part("offline").hidden = online || state !== "ready";
}

// The first counter of this window that no shop has scanned yet.
function freshCounter(window) {
  for (let n = 0; n < 10; n++) if (!used.has(window * 10 + n)) return n;
  return null;
}

async function tick() {
  const now = Date.now();
  const state = frozen ? "frozen" : !own ? "new" : foreign ? "foreign" : standing(kept, now);
  if (state !== "ready") {
    shownWindow = undefined;
    return show(state);
  }
  const at = now + kept.offset;
  const window = windowOf(at);
  const n = freshCounter(window);
  if (n === null) return show("spent");
  show("ready");
  const left = STEP - (at % STEP);
  ring.style.strokeDashoffset = String(100 - (100 * left) / STEP);
  part("seconds").textContent = String(Math.ceil(left / 1000));
  if (shownWindow === window * 10 + n) return;
  shownWindow = window * 10 + n;
  const digits = await codeOf(page.dataset.head, own, window, n);
  draw(part("bars"), barPicture(digits));
  draw(part("qr"), qrPicture(digits));
  part("digits").replaceChildren(
    ...digits.match(/^(.{6})(.{4})(.{4})(.*)$/).slice(1).map((group) => {
      const shown = document.createElement("span");
      shown.textContent = group;
      return shown;
    }),
  );
}

async function poll() {
  const before = Date.now();
  let answer;
  try {
    const asked = new URLSearchParams({ device: own?.number ?? "", since: since ?? "" });
    answer = await fetch(`${page.dataset.news}?${asked}`, {
      headers: { Accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(SILENCE_MS),
    });
  } catch {
    online = false;
    return;
  }
  online = answer.ok;
  if (!online) return;
  const news = await answer.json();
  part("login").hidden = !news.login || !own;
  kept = await measured(news.now, before, Date.now());
  since ??= news.now;
  if (news.login) return;
  frozen = Boolean(news.frozen);
  if (frozen) return;
  foreign = Boolean(own) && news.device !== own.number;
  if (!own || foreign) return;
  used = new Set(news.used);
  part("refused").hidden = !news.refused;
  if (news.goes) location.assign(news.goes);
}

async function pollForEver() {
  try {
    await poll();
  } finally {
    setTimeout(pollForEver, document.hidden ? POLL_HIDDEN_MS : POLL_MS);
  }
}

async function stayAwake() {
  // A screen that goes dark at the counter is the commonest reason to start again. Where it cannot be asked
  // for, or is refused, nothing is lost.
  if (!document.hidden) await navigator.wakeLock?.request("screen").catch(() => {});
}

async function begin() {
  own = await device();
  kept = await clock();
  if (kept) since = Math.floor(Date.now() + kept.offset);
  await tick();
  setInterval(tick, 250);
  pollForEver();
  stayAwake();
  document.addEventListener("visibilitychange", stayAwake);
  // A screen that was turned has other room for the code.
  window.addEventListener("resize", () => (shownWindow = undefined));
  // Whoever comes back to this page asks about the codes that are shown from now on.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) since = undefined;
  });
}

begin().catch(() => show("unable"));
