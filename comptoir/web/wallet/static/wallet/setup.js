// Makes this browser a device: the PIN goes to the server, the key that comes back stays here.

import { enroll } from "./device.js";

const form = document.getElementById("setup");
const button = form.querySelector("button[type=submit]");

const refused = (why) => document.dispatchEvent(new CustomEvent("wallet:pin", { detail: why }));

async function send() {
  const answer = await fetch(form.action, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
  });
  if (answer.status === 401) return location.reload();
  const told = await answer.json();
  if (!answer.ok) return refused(told.problem);
  await enroll(told);
  location.assign(form.dataset.done);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  await send().catch(() => refused(form.dataset.failed));
  button.removeAttribute("aria-busy");
});
