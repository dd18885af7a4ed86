// The camera looks for a code; the first one it finds is sent as if it had been typed. Where the browser reads
// codes itself the pictures never leave the phone; elsewhere they are read by the server and forgotten.

const box = document.getElementById("camera");
const video = box.querySelector("video");
const start = box.querySelector("[data-part=start]");
const form = document.getElementById("typed");
const EVERY_MS = 400;
const SIDE = 900;

let stream;
let detector;

const show = (state) => {
  for (const one of box.querySelectorAll("[data-when]")) one.hidden = !one.dataset.when.split(" ").includes(state);
};

async function ownDetector() {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
  return formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
}

async function readHere() {
  const found = await detector.detect(video);
  return found[0]?.rawValue;
}

async function readThere() {
  const scale = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.7));
  const body = new FormData();
  body.append("picture", blob, "frame.jpg");
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const answer = await fetch(box.dataset.read, { method: "POST", body, headers: { Accept: "application/json" } });
  return answer.ok ? (await answer.json()).text : undefined;
}

async function look() {
  if (!stream?.active) return;
  if (!document.hidden && video.videoWidth) {
    const text = await (detector ? readHere() : readThere()).catch(() => undefined);
    if (text) {
      stop();
      form.elements.text.value = text;
      return form.requestSubmit();
    }
  }
  setTimeout(look, EVERY_MS);
}

function stop() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = undefined;
}

async function begin() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
  } catch (refused) {
    return show(refused.name === "NotAllowedError" ? "refused" : "none");
  }
  detector ??= await ownDetector();
  video.srcObject = stream;
  await video.play();
  show("live");
  look();
}

if (navigator.mediaDevices?.getUserMedia) {
  show("ready");
  start.addEventListener("click", begin);
  window.addEventListener("pagehide", stop);
  // Who has allowed the camera before wants it at once.
  navigator.permissions?.query({ name: "camera" }).then((one) => one.state === "granted" && begin(), () => {});
}

const file = document.getElementById("picture");
file?.addEventListener("change", () => file.files.length && file.form.requestSubmit());
