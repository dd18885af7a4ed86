// The camera looks for a code; the first one it finds is sent as if it had been typed. Where the browser reads
// codes itself the pictures never leave the phone; elsewhere they are read by the server and forgotten.

import { detectorOf, frameOf } from "../components/frames.js";

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

async function readHere() {
  const found = await detector.detect(video);
  return found[0]?.rawValue;
}

async function readThere() {
  const body = new FormData();
  body.append("picture", await frameOf(video, SIDE, 0.7), "frame.jpg");
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const answer = await fetch(box.dataset.read, { method: "POST", body, headers: { Accept: "application/json" } });
  if (answer.status === 429) {
    stop();
    show("busy");
  }
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
  detector ??= await detectorOf(["qr_code"]).catch(() => null);
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
const sendPicture = () => file.files.length && file.form.requestSubmit();
file?.addEventListener("change", sendPicture);
if (file) sendPicture(); // chosen before this script was there
