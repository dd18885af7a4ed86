// Frames of a camera and the codes on them: for the browser to read where it can, else for the server.

// The browser's own reader of these formats; null where it has none.
export const detectorOf = async (formats) => {
  if (!("BarcodeDetector" in window)) return null;
  const known = await BarcodeDetector.getSupportedFormats();
  return formats.every((one) => known.includes(one)) ? new BarcodeDetector({ formats }) : null;
};

// What the camera sees, as a JPEG whose longer side is at most `side` pixels.
export const frameOf = (video, side, quality) => {
  const scale = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
};
