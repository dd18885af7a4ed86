// Stands in place of a page that could not be had: as soon as the server answers, that page is asked for again.
// Who opens it under its own address may read it.

const LOOK_MS = 2_000;
const PATIENCE_MS = 5_000;

const { own, home } = document.getElementById("offline").dataset;
const standsIn = location.pathname !== own;
const open = () => (standsIn ? location.reload() : location.assign(home));

const look = async () => {
  try {
    await fetch(own, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    open();
  } catch {
    setTimeout(look, LOOK_MS);
  }
};

document.getElementById("again").addEventListener("click", open);
if (standsIn) {
  window.addEventListener("online", open);
  setTimeout(look, LOOK_MS);
}
