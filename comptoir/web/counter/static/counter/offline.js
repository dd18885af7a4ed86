// Stands in place of a page that could not be had: as soon as the server answers, that page is asked for again.

const LOOK_MS = 2_000;
const PATIENCE_MS = 5_000;

const { own, home } = document.getElementById("offline").dataset;
const open = () => (location.pathname === own ? location.replace(home) : location.reload());

const look = async () => {
  try {
    await fetch(own, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    open();
  } catch {
    setTimeout(look, LOOK_MS);
  }
};

document.getElementById("again").addEventListener("click", open);
window.addEventListener("online", open);
setTimeout(look, LOOK_MS);
