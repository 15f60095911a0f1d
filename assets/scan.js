/* Barcodes by the camera, where the browser itself can read them (BarcodeDetector); nothing is fetched for it, and no
   picture leaves the device. A scanner that types needs nothing of this: it types into the field and presses Enter. */
(() => {
  "use strict";
  if (window.inventoryScan) return;
  window.inventoryScan = true;
  const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "itf", "code_128", "code_39", "qr_code"];
  const can = "BarcodeDetector" in window && !!(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
  const show = () => { if (can) document.querySelectorAll("[data-camera][hidden]").forEach((one) => { one.hidden = false; }); };
  new MutationObserver(show).observe(document.documentElement, { childList: true, subtree: true });
  show();

  function typed(field, code) {
    // As if it had been typed: React listens to the native setter.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, code);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.form.requestSubmit();
  }

  async function look(field) {
    const box = document.createElement("dialog"), video = document.createElement("video"), said = document.createElement("p");
    const stop = document.createElement("button");
    box.className = "scan-box"; said.textContent = "Hold the barcode in front of the camera."; said.setAttribute("role", "status");
    stop.type = "button"; stop.className = "btn"; stop.textContent = "Stop"; stop.addEventListener("click", () => box.close());
    video.muted = true; video.playsInline = true;
    box.append(video, said, stop); document.body.append(box); box.showModal();
    let stream = null, open = true;
    box.addEventListener("close", () => { open = false; if (stream) stream.getTracks().forEach((one) => one.stop()); box.remove(); field.focus(); });
    try {
      const known = await BarcodeDetector.getSupportedFormats();
      const detector = new BarcodeDetector({ formats: FORMATS.filter((one) => known.includes(one)) });
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (!open) { stream.getTracks().forEach((one) => one.stop()); return; }
      video.srcObject = stream;
      await video.play();
      while (open) {
        const [found] = await detector.detect(video);
        if (found && found.rawValue) { box.close(); typed(field, found.rawValue); return; }
        await new Promise((next) => requestAnimationFrame(next));
      }
    } catch (error) {
      said.textContent = error.name === "NotAllowedError"
        ? "The camera may not be used here. Allow it in the browser, or type the barcode."
        : "The camera cannot read barcodes here. Type the barcode instead.";
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-camera]");
    const field = button && document.getElementById(button.dataset.camera);
    if (field) look(field);
  });
})();
