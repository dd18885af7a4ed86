// What every page can do beyond HTML, by attributes alone. Texts come from the page, never from here.
//
// data-opens="id" / data-closes   open a <dialog>, close the one around
// data-copy="text"  data-copied="said when done"      data-print      data-share="text" data-share-title
// data-countdown="ISO instant"    minutes and seconds left, "0:00" at the end
// data-menu                       a <details> that closes when something else is touched
// form[data-once]                 sent once: its buttons are busy from then on (every POST form is, but data-many)
// data-reveal="id"                show a password while pressed again and again
// body[data-answer]               the answer to a form whose address can be opened: whoever comes back to it opens that,
//                                 instead of being asked by the browser whether to send the form once more

const says = (text) => {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts")?.append(toast);
  setTimeout(() => toast.remove(), 6000);
};

if ("answer" in document.body.dataset) history.replaceState(history.state, "", location.href);

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const on = (selector) => event.target.closest?.(selector);
  let found;
  if ((found = on("[data-opens]"))) {
    document.getElementById(found.dataset.opens)?.showModal();
  } else if ((found = on("[data-closes]"))) {
    event.preventDefault();
    found.closest("dialog")?.close();
  } else if ((found = on("[data-copy]"))) {
    const { copy, copied } = found.dataset;
    navigator.clipboard?.writeText(copy).then(() => copied && says(copied));
  } else if (on("[data-print]")) {
    window.print();
  } else if ((found = on("[data-share]"))) {
    const { share, shareTitle: title, copied } = found.dataset;
    if (navigator.share) navigator.share({ title, text: share }).catch(() => {});
    else navigator.clipboard?.writeText(share).then(() => copied && says(copied));
  } else if ((found = on("[data-reveal]"))) {
    const field = document.getElementById(found.dataset.reveal);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    found.setAttribute("aria-pressed", String(!shown));
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-many")) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  // After the browser has read the button that was pressed.
  setTimeout(() => (event.submitter ?? form.querySelector("button"))?.setAttribute("aria-busy", "true"));
});

// Whoever comes back with the browser's button may send again: the server knows a repeat.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy=true]")) button.removeAttribute("aria-busy");
});

const tick = () => {
  for (const one of document.querySelectorAll("[data-countdown]")) {
    const left = Math.max(0, Math.round((Date.parse(one.dataset.countdown) - Date.now()) / 1000));
    one.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }
};
tick();
setInterval(tick, 1000);

document.addEventListener("comptoir:say", (event) => says(event.detail));
