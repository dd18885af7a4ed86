// One sale. What is sent is sent again, with the same id, until the server has answered: it takes a sale once.
// Then the page asks how the payment stands until that is final. Nothing here decides anything.

import { TooMany, watch } from "./camera.js";
import { unfinished } from "./unfinished.js";

const PATIENCE_MS = 12_000;
const AGAIN_S = [1, 1, 2, 3, 5];
const LOOK_S = [1, 1, 1, 2, 2, 3, 3, 5];
const SHOULD_HAVE_COME_MS = 10_000;

const sale = () => document.getElementById("sale");
const address = sale().dataset.address;
let sending = false;
let looks = 0;
let timer = 0;
let hurry = () => {};

const pause = (seconds) =>
  new Promise((done) => {
    const end = setTimeout(done, seconds * 1000);
    hurry = () => {
      clearTimeout(end);
      done();
    };
  });

const say = (text, kind = "warn") => {
  const box = document.getElementById("sale-says");
  if (!box) return;
  box.hidden = !text;
  box.className = text ? `alert alert-${kind}` : "";
  box.textContent = text;
};

// The page that the server answers with, or null when nobody knows whether it was heard.
const ask = async (options = {}, to = location.href) => {
  let answer;
  try {
    answer = await fetch(to, {
      ...options,
      headers: { Accept: "text/html" },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status >= 500) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.getElementById("sale")) return { page, url: answer.url };
  } catch {
    return null;
  }
  // The login is over, or the till was changed: that page has to be seen.
  location.assign(answer.redirected ? answer.url : location.href);
  return new Promise(() => {});
};

const swap = ({ page, url }) => {
  const fresh = document.importNode(page.getElementById("sale"), true);
  sale().replaceWith(fresh);
  document.title = page.title;
  if (url && new URL(url).pathname === location.pathname) history.replaceState(null, "", url);
  const heading = fresh.querySelector("h1");
  if (heading && fresh.dataset.version !== "asking") {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  looks = 0;
  arrive();
};

// What there is to do when a page of the sale has come, at first or later.
const arrive = () => {
  const { dataset } = sale();
  if (dataset.version !== "asking") unfinished.end(address);
  clearTimeout(timer);
  if ("open" in dataset) timer = setTimeout(look, LOOK_S[Math.min(looks++, LOOK_S.length - 1)] * 1000);
  document.getElementById("code")?.focus();
  offerCamera();
};

const look = async () => {
  const answer = await ask();
  if (answer && answer.page.getElementById("sale").dataset.version !== sale().dataset.version) return swap(answer);
  say(answer ? "" : sale().dataset.lostNow);
  arrive();
};

const send = async (body) => {
  if (sending) return;
  sending = true;
  const form = document.getElementById("take");
  const { sending: asking, lost } = form.dataset;
  unfinished.begin(location.pathname + location.search);
  for (const control of form.elements) if (control.type !== "hidden") control.disabled = true;
  say(asking, "info");
  for (let tries = 0; ; tries += 1) {
    const answer = await ask({ method: "POST", body }, form.action);
    if (answer) {
      // Refused before any payment was made: there is nothing to come back to.
      if (answer.page.getElementById("sale").dataset.version === "asking") unfinished.end(address);
      swap(answer);
      break;
    }
    say(lost);
    await pause(AGAIN_S[Math.min(tries, AGAIN_S.length - 1)]);
  }
  sending = false;
};

document.addEventListener("submit", (event) => {
  if (event.target.id !== "take") return;
  event.preventDefault();
  const body = new FormData(event.target, event.submitter);
  if (!body.get("show") && !body.get("code").trim()) return document.getElementById("code").focus();
  send(body);
});

const offerCamera = () => {
  const button = document.getElementById("camera");
  if (button && navigator.mediaDevices?.getUserMedia) button.hidden = false;
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("#camera");
  if (!button) return;
  const token = document.querySelector("#take [name=csrfmiddlewaretoken]").value;
  watch(document.getElementById("viewfinder"), button.dataset.reader, token).then(
    (code) => {
      if (!code) return;
      document.getElementById("code").value = code;
      document.getElementById("take").requestSubmit();
    },
    (failed) => say(failed instanceof TooMany ? button.dataset.busy : button.dataset.none),
  );
});

window.addEventListener("online", () => {
  hurry();
  if ("open" in sale().dataset) look();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && "open" in sale().dataset) look();
});
window.addEventListener("pageshow", (event) => event.persisted && location.reload());

// The page was loaded anew after something had been sent: it may still be under way for some seconds.
const waitForWhatWasSent = async () => {
  say(document.getElementById("take").dataset.unheard);
  for (const end = Date.now() + SHOULD_HAVE_COME_MS; Date.now() < end && !sending; ) {
    await pause(2);
    const answer = sending ? null : await ask();
    if (answer && answer.page.getElementById("sale").dataset.version !== "asking") return swap(answer);
  }
  if (!sending) unfinished.end(address);
};

arrive();
if (sale().dataset.version === "asking" && unfinished.is(address)) waitForWhatWasSent();
window.dispatchEvent(new Event("comptoir:sale-ready"));
