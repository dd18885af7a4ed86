// Lets the pay code page stay on the phone for when there is no network.

const own = document.querySelector("script[data-worker]").dataset;
navigator.serviceWorker?.register(own.worker, { scope: own.scope }).catch(() => {});
