// A keypad for the PIN field of a form. The field stays where it is, so that a keyboard and a screen reader go
// on as they do without it; only the phone's own keyboard stays away.

for (const pad of document.querySelectorAll("[data-pin]")) {
  const field = document.getElementById(pad.dataset.pin);
  const problem = document.getElementById(field.getAttribute("aria-describedby"));

  field.setAttribute("inputmode", "none");
  field.addEventListener("input", () => (field.value = field.value.replace(/\D/g, "")));
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("button[data-key]")?.dataset.key;
    if (key === undefined) return;
    if (key === "back") field.value = field.value.slice(0, -1);
    else if (field.value.length < field.maxLength) field.value += key;
  });
  // A script that sent the PIN by itself was refused: it says why.
  document.addEventListener("wallet:pin", (event) => {
    field.value = "";
    problem.textContent = event.detail;
    field.setAttribute("aria-invalid", "true");
    field.focus();
  });
  // Whoever comes back finds no PIN. Not at the first showing: a quick hand has begun to type before that.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) field.value = "";
  });
}
