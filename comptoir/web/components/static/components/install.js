// Lets what the room's service worker keeps stay on the device for when there is no network.

const own = document.querySelector("script[data-worker]").dataset;
navigator.serviceWorker?.register(own.worker, { scope: own.scope }).catch(() => {});
