// What the phone keeps: its number, its key (which no script can read), and how far its clock is off.
// In IndexedDB, because only there a key can be kept without being readable.

import { keyOf } from "./code.js";

const NAME = "comptoir-wallet";
const STORE = "kept";

// A code is made without the server for so long; then the phone has to be seen again.
export const OFFLINE_MS = 24 * 3600_000;

// A measure of the clock that took longer is too uncertain: a code must be right to 30 seconds.
const SLOWEST_MS = 8_000;

// The clock may be set a little while it is corrected by itself; more than that is somebody's hand.
const SLACK_MS = 5_000;

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function within(mode, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const asked = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const device = () => within("readonly", (store) => store.get("device"));

// Keeps what an enrollment answered. The seed itself is forgotten with this call.
export async function enroll({ number, seed }) {
  const raw = Uint8Array.from(atob(seed), (one) => one.charCodeAt(0));
  const key = await keyOf(raw);
  raw.fill(0);
  await within("readwrite", (store) => store.put({ number, key }, "device"));
}

export const forget = () => within("readwrite", (store) => store.clear());

export const clock = () => within("readonly", (store) => store.get("clock"));

// Notes how far the clock is off: the server said `theirs` between `before` and `after` (ours, ms).
export async function measured(theirs, before, after) {
  if (after < before || after - before > SLOWEST_MS) return clock();
  const kept = { offset: theirs - (before + after) / 2, at: after };
  await within("readwrite", (store) => store.put(kept, "clock"));
  return kept;
}

// Whether codes can be made now: "ready", "never" met the server, "stale" (too long ago), or "clock" (set back).
export function standing(kept, now) {
  if (!kept) return "never";
  if (now < kept.at - SLACK_MS) return "clock";
  return now - kept.at > OFFLINE_MS ? "stale" : "ready";
}
