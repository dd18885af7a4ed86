// The camera: frames are read by the browser where it can, else by the server; nobody keeps them.

import { detectorOf, frameOf } from "../components/frames.js";

const EVERY_MS = 350;
const SIDE = 960;

// The server reads no more frames of this person for a minute.
export class TooMany extends Error {}

const pause = () => new Promise((done) => setTimeout(done, EVERY_MS));

const byBrowser = async () => {
  const detector = await detectorOf(["code_128", "qr_code"]);
  return detector && (async (video) => (await detector.detect(video)).map((one) => one.rawValue));
};

const byServer = (reader, token) => async (video) => {
  const body = new FormData();
  body.set("picture", await frameOf(video, SIDE, 0.8), "frame.jpg");
  const headers = { "X-CSRFToken": token, Accept: "application/json" };
  const answer = await fetch(reader, { method: "POST", body, headers });
  if (answer.status === 429) throw new TooMany();
  return answer.ok ? (await answer.json()).codes : [];
};

// The first payment code that is held before the camera; null when it was closed. Rejects without a
// camera, and with TooMany.
export const watch = async (viewfinder, reader, token) => {
  const video = viewfinder.querySelector("video");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  let closed = false;
  const close = () => (closed = true);
  viewfinder.querySelector("button").addEventListener("click", close, { once: true });
  viewfinder.hidden = false;
  viewfinder.scrollIntoView({ block: "center" });
  try {
    video.srcObject = stream;
    await video.play();
    const read = (await byBrowser()) ?? byServer(reader, token);
    while (!closed && viewfinder.isConnected) {
      const codes = await read(video).catch((failed) => {
        if (failed instanceof TooMany) throw failed;
        return [];
      });
      const code = codes.find((one) => /^[0-9]{16,24}$/.test(one));
      if (code) return code;
      await pause();
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    viewfinder.hidden = true;
  }
};
