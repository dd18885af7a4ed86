// A hand scanner may be faster than the page's scripts. What it sends meanwhile is held for them: sent by the form
// itself it would be taken once just as well, but a lost answer would end in the browser's own error page, where
// nobody asks again and nothing leads back to the sale. Not a module, so that it is there before the form is.

(() => {
  // A hand scanner types wherever the focus is: digits belong into the field for the code.
  document.addEventListener("keydown", (event) => {
    const code = document.getElementById("code");
    if (!code || code.disabled || event.target === code || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9]$/.test(event.key)) code.focus();
  });

  let held = null;
  const hold = (event) => {
    if (event.target.id !== "take") return;
    event.preventDefault();
    held = { form: event.target, submitter: event.submitter };
  };
  document.addEventListener("submit", hold);

  // The script of the sale listens from now on: it sends what was held.
  const release = () => {
    document.removeEventListener("submit", hold);
    held?.form.requestSubmit(held.submitter);
    held = null;
  };
  window.addEventListener("comptoir:sale-ready", release, { once: true });
  // By then it came or failed; if it failed the form works by itself.
  window.addEventListener("load", release, { once: true });
})();
