// The service worker of a room's app. It keeps the page that stands in place of every other when there is no network,
// pages that work without one if the room has any, and the files of both. No page with anything of anybody's is ever
// kept. SHELL is written by the server: see installing.py.

const PATIENCE_MS = 3_000;

const all = [...SHELL.pages, SHELL.instead, ...SHELL.files];
const pathOf = (request) => new URL(request.url).pathname;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL.name)
      .then((kept) => kept.addAll(all.map((one) => new Request(one, { cache: "reload" })))),
  );
  self.skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

// From the network, which renews what is kept; or as it was kept, when the network takes too long.
async function freshOrKept(request, path) {
  const kept = await caches.open(SHELL.name);
  const fresh = fetch(request).then(async (answer) => {
    if (answer.ok && !answer.redirected) await kept.put(path, answer.clone());
    return answer;
  });
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)).then(() => kept.match(path));
  return (await Promise.race([fresh, late]).catch(() => kept.match(path))) ?? fresh;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = pathOf(request);
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (all.includes(path)) event.respondWith(freshOrKept(request, path));
  else if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(SHELL.instead)));
  }
});
