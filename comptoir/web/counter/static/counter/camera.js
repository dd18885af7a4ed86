// The camera: frames are read by the browser where it can, else by the server; nobody keeps them.

const EVERY_MS = 350;
const SIDE = 960;

const pause = () => new Promise((done) => setTimeout(done, EVERY_MS));

const byBrowser = async () => {
  if (!("BarcodeDetector" in window)) return null;
  const known = await BarcodeDetector.getSupportedFormats();
  const formats = ["code_128", "qr_code"].filter((one) => known.includes(one));
  if (formats.length < 2) return null;
  const detector = new BarcodeDetector({ formats });
  return async (video) => (await detector.detect(video)).map((one) => one.rawValue);
};

const byServer = (reader, token) => {
  const canvas = document.createElement("canvas");
  return async (video) => {
    const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = video.videoWidth * scale;
    canvas.height = video.videoHeight * scale;
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
    const body = new FormData();
    body.set("picture", picture, "frame.jpg");
    const headers = { "X-CSRFToken": token, Accept: "application/json" };
    const answer = await fetch(reader, { method: "POST", body, headers });
    return answer.ok ? (await answer.json()).codes : [];
  };
};

// The first payment code that is held before the camera; null when it was closed. Rejects without a camera.
export const watch = async (viewfinder, reader, token) => {
  const video = viewfinder.querySelector("video");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  let closed = false;
  const close = () => (closed = true);
  viewfinder.querySelector("button").addEventListener("click", close, { once: true });
  viewfinder.hidden = false;
  try {
    video.srcObject = stream;
    await video.play();
    const read = (await byBrowser()) ?? byServer(reader, token);
    while (!closed && viewfinder.isConnected) {
      const codes = await read(video).catch(() => []);
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
