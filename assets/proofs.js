/* Passkeys, recovery codes, and how good a new password would be. No dependency, no inline code; the server decides.
   Text is put only into elements that React renders empty. */
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const csrfOf = (form) => (form.querySelector("input[name=csrf]") || document.querySelector("input[name=csrf]") || {}).value || "";

  async function asked(path, fields) {
    const answer = await fetch(path, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin" });
    const type = answer.headers.get("content-type") || "";
    return type.startsWith("application/json") ? answer.json() : { error: await answer.text() };
  }

  // ---- Passkeys: form[data-passkey] asks the browser, fills input[name=credential] and posts itself -------------
  const WORDS = {
    NotAllowedError: "No passkey was used. Try again, or use another way.",
    InvalidStateError: "This device has a passkey of yours already.",
    SecurityError: "Passkeys do not work at this address.",
    AbortError: "No passkey was used. Try again, or use another way.",
  };
  const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
  async function make(options) {
    const made = await navigator.credentials.create({ publicKey: {
      ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    } });
    const response = made.response;
    return { id: made.id, rawId: text(made.rawId), type: made.type, response: {
      clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject),
    } };
  }
  async function use(options) {
    const used = await navigator.credentials.get({ publicKey: {
      ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials),
    } });
    const response = used.response;
    return { id: used.id, rawId: text(used.rawId), type: used.type, response: {
      clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData),
      signature: text(response.signature), userHandle: response.userHandle ? text(response.userHandle) : null,
    } };
  }
  async function prove(form) {
    const say = (sentence) => {
      const place = form.querySelector("[data-proof-error]");
      if (place) place.textContent = sentence;
      if (sentence && window.inventoryRelease) window.inventoryRelease();
    };
    say("");
    if (!window.PublicKeyCredential) return say("This browser knows no passkeys, or the connection is not encrypted.");
    const purpose = form.querySelector("input[name=purpose]").value;
    try {
      const options = await asked("/auth/passkey/options", { csrf: csrfOf(form), purpose });
      if (options.go) return location.assign(options.go);
      if (options.error) return say(options.error);
      const answer = purpose === "register" ? await make(options) : await use(options);
      form.querySelector("input[name=credential]").value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      say(WORDS[error.name] || "The passkey could not be used. Try again, or use another way.");
    }
  }
  document.addEventListener("submit", (ev) => {
    const form = ev.target;
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-passkey") || ev.defaultPrevented) return;
    ev.preventDefault();
    prove(form);
  });

  // ---- Recovery codes: copy, download, print ---------------------------------------------------------------------
  document.addEventListener("click", async (ev) => {
    const button = ev.target.closest && ev.target.closest("button[data-codes]");
    if (!button) return;
    const codes = [...document.querySelectorAll(".codes li")].map((li) => li.textContent).join("\n") + "\n";
    const how = button.dataset.codes, said = document.querySelector("[data-codes-said]");
    if (how === "copy") {
      try { await navigator.clipboard.writeText(codes); if (said) said.textContent = "Copied."; }
      catch { if (said) said.textContent = "This browser does not let us copy: select them by hand."; }
    } else if (how === "save") {
      const link = document.createElement("a"), url = URL.createObjectURL(new Blob([codes], { type: "text/plain" }));
      link.href = url; link.download = "recovery-codes.txt"; link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    } else window.print();
  });

  // ---- A new password: div[data-strength] in the field of input[autocomplete=new-password] -------------------------
  const ENOUGH = 3, WAIT = 350, timers = new WeakMap(), latest = new WeakMap();
  async function judge(input, place) {
    if (!input.isConnected) return; // sent meanwhile, and the form is gone
    const form = input.form, fields = { csrf: csrfOf(form), password: input.value };
    for (const name of ["username", "full_name", "email"]) {
      const other = form.querySelector(`input[name=${name}]`);
      if (other) fields[name] = other.value;
    }
    const mine = {}; latest.set(input, mine);
    let found;
    try { found = await asked("/auth/password/strength", fields); } catch { return; }
    if (latest.get(input) !== mine || found.error || !input.value) return;
    place.dataset.strength = String(found.score);
    place.lastElementChild.textContent = found.why_not || (found.score > ENOUGH ? "Very good." : "Good.");
  }
  document.addEventListener("input", (ev) => {
    const input = ev.target;
    if (!(input instanceof HTMLInputElement) || input.autocomplete !== "new-password") return;
    const field = input.closest(".field"), place = field && field.querySelector("[data-strength]");
    if (!place) return;
    clearTimeout(timers.get(input));
    if (!input.value) { latest.delete(input); place.dataset.strength = ""; place.lastElementChild.textContent = ""; return; }
    timers.set(input, setTimeout(() => judge(input, place), WAIT));
  });
})();
