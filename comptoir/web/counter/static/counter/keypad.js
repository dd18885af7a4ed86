// The keypad, as tills have it: digits fill up from the right (1 2 5 0 is 12.50), unless a point or a comma is
// typed (12,5 is 12.50 too). Keys of the page, of a keyboard and of a hand scanner all come here.

import { unfinished } from "./unfinished.js";

// A sale that was sent and of which nobody has seen anything comes first.
const waiting = unfinished.address();
if (waiting) location.replace(waiting);

const form = document.getElementById("keypad");
const field = document.getElementById("amount");
const says = document.getElementById("keypad-says");
const places = Number(form.dataset.places);
const longest = Number(form.dataset.longest);
const { point } = form.dataset; // as the page's language writes it; the server reads both

let typed = "";
let fast = 0;
let before = 0;

const show = () => {
  if (/[.,]/.test(typed)) {
    const [whole, part = ""] = typed.split(/[.,]/);
    field.value = places ? `${whole || "0"}${point}${part.padEnd(places, "0")}` : whole;
  } else if (places) {
    const digits = typed.padStart(places + 1, "0");
    field.value = `${digits.slice(0, -places)}${point}${digits.slice(-places)}`;
  } else {
    field.value = typed || "0";
  }
};

const press = (key) => {
  says.hidden = true;
  if (key === "erase") {
    typed = typed.slice(0, -1);
  } else if (key === "." || key === ",") {
    if (places && !/[.,]/.test(typed)) typed = `${typed}.`;
  } else {
    const part = typed.split(".")[1];
    const full = part !== undefined && part.length + key.length > places;
    if (!full && typed.length + key.length < longest) typed = `${typed}${key}`.replace(/^0+(?=[0-9])/, "");
  }
  show();
};

if (field.value) typed = field.value.replace(/[.,]/g, "").replace(/^0+/, "");
show();
form.querySelector(".keypad").hidden = false;
field.readOnly = true; // no keyboard of the screen over the keypad; the keys are heard below
field.inputMode = "none";

form.addEventListener("click", (event) => {
  const key = event.target.closest("[data-key]");
  if (key) press(key.dataset.key);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // A hand scanner types a dozen digits and more within a blink: that is no amount.
  const now = event.timeStamp; // when the key came, not when a busy page got round to it
  if (/^[0-9]$/.test(event.key)) {
    fast = now - before < 40 ? fast + 1 : 0;
    before = now;
    press(event.key);
  } else if (event.key === "." || event.key === ",") {
    press(event.key);
  } else if (event.key === "Backspace") {
    press("erase");
    event.preventDefault();
  } else if (event.key === "Escape") {
    typed = "";
    show();
  } else if (event.key === "Enter" && fast >= 11 && now - before < 200) {
    event.preventDefault();
    typed = "";
    show();
    says.textContent = form.dataset.scanned;
    says.hidden = false;
  }
  if (event.key === "Enter") fast = 0;
});

form.addEventListener("submit", (event) => {
  if (Number(field.value.replace(",", ".")) > 0) return;
  event.preventDefault();
  field.focus();
});
