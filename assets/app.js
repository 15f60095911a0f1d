/* Browser-side comforts. No dependency, no inline code, nothing here decides anything: the server does.
   Only attributes React does not render are written, and text only inside <time data-relative>. */
(() => {
  "use strict";
  const all = (sel, root) => (root || document).querySelectorAll(sel);
  const visible = (el) => el.getClientRects().length > 0;

  // ---- One press, one event: data-once on a form or a button -------------------------------------------------
  const busy = new Map(); // form or button -> {button, timer}
  const LOST = 30000; // an answer that never comes must not lock the form for ever
  function hold(owner, button) {
    const mark = button || owner;
    mark.setAttribute("data-busy", "");
    mark.setAttribute("aria-busy", "true");
    busy.set(owner, { mark, timer: setTimeout(() => release(owner), LOST) });
  }
  function release(owner) {
    const held = busy.get(owner);
    if (!held) return;
    clearTimeout(held.timer);
    held.mark.removeAttribute("data-busy");
    held.mark.removeAttribute("aria-busy");
    busy.delete(owner);
  }
  const releaseAll = () => [...busy.keys()].forEach(release);
  const swallow = (ev) => { ev.preventDefault(); ev.stopImmediatePropagation(); };
  window.inventoryRelease = releaseAll;
  window.addEventListener("submit", (ev) => {
    const form = ev.target;
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-once")) return;
    if (busy.has(form)) return swallow(ev);
    // What stands after the # of a one-time link never reaches a server by itself, nor its log.
    for (const field of all("input[data-from-hash]", form)) if (!field.value) field.value = location.hash.slice(1);
    hold(form, ev.submitter || form.querySelector("button[type=submit],button:not([type])"));
    sent = { form, at: here(), fields: filledIn(form) };
  }, true);
  window.addEventListener("click", (ev) => {
    const button = ev.target.closest && ev.target.closest("button[data-once]");
    if (!button) return;
    if (busy.has(button) || button.getAttribute("aria-disabled") === "true") return swallow(ev);
    hold(button, button);
  }, true);
  window.addEventListener("pageshow", releaseAll); // back from a native post

  // ---- A fresh proof was asked for: what was filled in waits in this tab until its form is there again ---------
  const KEPT = "kept", KEEP = 900000, PROOF = "/confirm";
  const path = () => location.pathname.replace(/\/$/, "") || "/";
  const here = () => path() + location.search;
  const fillable = (form) => [...form.elements].filter((el) => el.name && !/^(password|hidden|file|submit|button|reset)$/.test(el.type));
  const nameOf = (el) => el.type === "radio" ? el.name + "=" + el.value : el.name;
  const ticks = (el) => el.type === "checkbox" || el.type === "radio";
  const filledIn = (form) => fillable(form).map((el) => [nameOf(el), ticks(el) ? el.checked : el.value]);
  let sent; // the form that was sent last, until its answer is there and the person goes on
  let kept; // {at, fields, since}: what waits
  const store = () => { try { if (kept) sessionStorage.setItem(KEPT, JSON.stringify(kept)); else sessionStorage.removeItem(KEPT); } catch { /* private mode */ } };
  try { kept = JSON.parse(sessionStorage.getItem(KEPT) || "null") || undefined; } catch { /* private mode */ }
  // Whoever comes back from proving it finds the dialog open that they left, for as long as they stay.
  let back = document.referrer && new URL(document.referrer).pathname.replace(/\/$/, "") === PROOF ? here() : "";
  window.inventoryCameBack = () => back === here();
  const forget = () => { if (sent && !busy.has(sent.form)) sent = undefined; };
  window.addEventListener("pointerdown", forget, true);
  window.addEventListener("keydown", forget, true);
  function keep() {
    if (path() === PROOF) {
      if (sent && sent.fields.length) { kept = { at: sent.at, fields: sent.fields, since: Date.now() }; store(); }
      sent = undefined;
    } else if (kept && (here() !== kept.at || Date.now() - kept.since > KEEP)) { kept = undefined; store(); }
  }
  function fillAgain(root) {
    if (!kept || here() !== kept.at) return;
    const forms = root.matches("form") ? [root] : [...all("form[data-once]", root)];
    const form = forms.find((one) => fillable(one).map(nameOf).join() === kept.fields.map(([name]) => name).join());
    if (!form) return;
    const fields = kept.fields;
    kept = undefined; store();
    fillable(form).forEach((el, i) => {
      const value = fields[i][1];
      if (ticks(el)) { if (el.checked !== value && !el.disabled) el.click(); } else if (el.value !== value) setValue(el, value);
    });
  }

  // ---- Keys: "/" searches, Esc clears, Caps Lock is said ------------------------------------------------------
  const OVER = ".dialog,[role=menu],:popover-open:not(#tip)"; // something lies over the page and has the keys
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));
  function setValue(input, value) { // so that React hears it
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), "value").set.call(input, value);
    input.dispatchEvent(new Event(input.localName === "select" ? "change" : "input", { bubbles: true }));
  }
  const capsOf = (ev) => {
    const el = ev.target;
    if (!el.matches || !el.matches("input[data-password]") || !ev.getModifierState) return;
    const field = el.closest(".field");
    if (field) field.setAttribute("data-caps", String(ev.getModifierState("CapsLock")));
  };
  window.addEventListener("keyup", capsOf, true);
  window.addEventListener("keydown", (ev) => {
    capsOf(ev);
    const el = ev.target;
    if (ev.key === "Escape") {
      hideTip();
      if (el.matches && el.matches("input[data-search]")) {
        if (el.value) setValue(el, ""); else el.blur();
      } else if (!document.querySelector(OVER) && !typing(el)) {
        const clear = [...all("[data-esc]")].find(visible);
        if (clear) clear.click();
      }
    } else if (ev.key === "/" && !ev.ctrlKey && !ev.metaKey && !ev.altKey && !typing(el)) {
      const search = [...all("input[data-search]")].find(visible);
      if (search && !document.querySelector(OVER)) {
        ev.preventDefault(); search.focus(); search.select();
      }
    } else if (ev.key === "?" && !typing(el) && !document.querySelector(OVER)) {
      const help = document.getElementById("help");
      if (help) help.showPopover();
    }
  });
  // ---- Rows of a list: arrows and j/k move, Enter opens, x selects -------------------------------------------
  const STEPS = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 };
  const OWN_KEYS = "[data-grid],[role=menu],[role=radiogroup],summary,.dialog";
  window.addEventListener("keydown", (ev) => {
    const el = ev.target;
    if (ev.defaultPrevented || ev.ctrlKey || ev.metaKey || ev.altKey || !el.closest || document.querySelector(OVER)) return;
    const searches = el.matches("input[data-search]") && ev.key === "ArrowDown";
    if (el.closest(OWN_KEYS) || (typing(el) && !el.matches("[type=checkbox]") && !searches)) return;
    const here = el.closest(".list .tbl tr[data-state]");
    if (ev.key in STEPS) {
      const lines = [...all(".list .tbl tr[data-state]")];
      const next = lines[here ? lines.indexOf(here) + STEPS[ev.key] : STEPS[ev.key] > 0 ? 0 : -1];
      if (!lines.length || (!here && !searches && STEPS[ev.key] < 0)) return;
      ev.preventDefault();
      if (!next) return;
      next.tabIndex = -1; // a row is no stop for Tab: what is in it is
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: "nearest" });
    } else if (here && ev.key === "x") {
      const box = here.querySelector(".c-check input");
      if (box) { ev.preventDefault(); box.click(); }
    } else if (here === el && ev.key === "Enter") {
      // What the row is about; other links of it only if there is none.
      const way = ["a.rowlink", ".card-title a[href]", "a.id[href]"].map((sel) => here.querySelector(sel)).find(Boolean);
      if (way) { ev.preventDefault(); way.click(); }
    }
  });
  // ---- Ctrl+K: the palette; the server finds what is called so, pages are filtered here -------------------
  const palette = () => document.getElementById("palette");
  const ways = () => [...all("#palette [data-jump-list] a")].filter((a) => !a.hidden);
  const typed = (box) => box.querySelector("[data-jump]").value.trim();
  const answered = (box) => typed(box) === (box.dataset.asked || "").trim();
  let jumping = false; // Enter was pressed before the answer came: the first that it brings is meant.
  new MutationObserver(() => {
    const box = palette();
    narrow();
    if (!jumping || !box || !answered(box)) return;
    jumping = false;
    const first = ways()[0];
    if (first && box.matches(":popover-open")) first.click();
  }).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ["data-asked"] });
  function narrow() {
    const box = palette();
    if (!box) return;
    const text = box.querySelector("[data-jump]").value.trim().toLowerCase();
    all("a[data-words]", box).forEach((a) => { a.hidden = !a.dataset.words.includes(text); });
    box.toggleAttribute("data-none", !ways().length);
  }
  // The field has the focus before this returns: a toggle event comes a moment later, and what is typed until then
  // would be lost.
  function ask(box) {
    const field = box.querySelector("[data-jump]");
    box.showPopover();
    if (field.value) setValue(field, "");
    narrow();
    field.focus();
  }
  document.addEventListener("click", (ev) => {
    const box = palette();
    if (!box || !ev.target.closest || !ev.target.closest("button[popovertarget=palette]") || box.matches(":popover-open")) return;
    ev.preventDefault();
    ask(box);
  });
  window.addEventListener("keydown", (ev) => {
    const box = palette();
    if (!box) return;
    if ((ev.ctrlKey || ev.metaKey) && !ev.altKey && !ev.shiftKey && ev.key.toLowerCase() === "k") {
      ev.preventDefault();
      if (box.matches(":popover-open")) box.hidePopover();
      else if (!document.querySelector(".dialog")) ask(box);
    } else if (box.matches(":popover-open") && box.contains(ev.target)) {
      const field = box.querySelector("[data-jump]"), list = ways(), at = list.indexOf(ev.target);
      if (ev.key === "ArrowDown" || ev.key === "ArrowUp") {
        ev.preventDefault();
        const next = at + (ev.key === "ArrowDown" ? 1 : -1);
        (list[next] || (next < 0 ? field : ev.target)).focus();
      } else if (ev.key === "Enter" && ev.target === field) {
        ev.preventDefault();
        jumping = !answered(box) && !(list[0] && list[0].dataset.words);
        if (!jumping && list.length) list[0].click();
      } else if (ev.key === "Escape") { // at once: a search field keeps the first Escape for its text otherwise
        ev.preventDefault();
        box.hidePopover();
      }
    }
  });
  document.addEventListener("input", (ev) => { if (ev.target.matches && ev.target.matches("[data-jump]")) { jumping = false; narrow(); } });
  document.addEventListener("toggle", (ev) => {
    if (ev.target !== palette()) return;
    const field = ev.target.querySelector("[data-jump]");
    if (ev.newState === "closed" && field.value) setValue(field, "");
  }, true);

  window.addEventListener("focusout", (ev) => {
    const field = ev.target.closest && ev.target.closest(".field[data-caps]");
    if (field) field.removeAttribute("data-caps");
  });

  // ---- Show the password, fold the side bar, close a popover after a choice -----------------------------------
  document.addEventListener("click", (ev) => {
    const at = (sel) => ev.target.closest && ev.target.closest(sel);
    const eye = at("button[data-reveal]");
    if (eye) {
      const input = eye.parentElement.querySelector("input");
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      eye.setAttribute("aria-pressed", String(show));
      input.focus();
    }
    if (at("button[data-rail]")) {
      const rail = document.documentElement.toggleAttribute("data-rail");
      try { localStorage.setItem("rail", rail ? "1" : ""); } catch { /* private mode */ }
    }
    if (at("button[data-density]")) {
      const compact = document.documentElement.toggleAttribute("data-compact");
      try { localStorage.setItem("compact", compact ? "1" : ""); } catch { /* private mode */ }
      all("button[data-density]").forEach(sync);
    }
    const choice = at("[popover] a, [popover] button[data-close]");
    if (choice) { const pop = choice.closest("[popover]"); if (pop.matches(":popover-open")) pop.hidePopover(); }
  });
  try {
    for (const name of ["rail", "compact"]) if (localStorage.getItem(name)) document.documentElement.setAttribute("data-" + name, "");
  } catch { /* private mode */ }

  // ---- Files: too large is said before anything is sent (the server refuses it all the same) -------------------
  document.addEventListener("change", (ev) => {
    const input = ev.target;
    if (!(input instanceof HTMLInputElement) || input.type !== "file" || !input.dataset.most) return;
    const most = Number(input.dataset.most), file = input.files[0];
    const wrong = file && file.size > most;
    input.setCustomValidity(wrong ? "This file is larger than " + most / 1048576 + " MB. Split it and import the parts one by one." : "");
    if (wrong) input.reportValidity();
  });

  // ---- Tooltips: one element for all of [data-tip] -----------------------------------------------------------
  let tip, tipTimer, tipOf;
  function hideTip() { clearTimeout(tipTimer); if (tip && tip.matches(":popover-open")) tip.hidePopover(); }
  function showTip(el) {
    if (!tip) {
      tip = document.createElement("div");
      tip.id = "tip"; tip.setAttribute("popover", "manual"); tip.setAttribute("role", "tooltip");
      document.body.append(tip);
    }
    if (!el.isConnected) return;
    tipOf = el;
    tip.textContent = el.getAttribute("data-tip") || el.getAttribute("data-rail-tip") || el.getAttribute("data-phone-tip");
    if (!tip.matches(":popover-open")) tip.showPopover();
    const a = el.getBoundingClientRect(), b = tip.getBoundingClientRect();
    const below = a.bottom + 6 + b.height < innerHeight;
    tip.style.top = (below ? a.bottom + 6 : a.top - b.height - 6) + "px";
    tip.style.left = Math.max(6, Math.min(innerWidth - b.width - 6, a.left + a.width / 2 - b.width / 2)) + "px";
  }
  const folded = () => document.documentElement.hasAttribute("data-rail") || innerWidth <= 960;
  const ICONS = ".page-head-actions [data-phone-tip]"; // buttons of which the phone shows the icon alone
  const tippable = () => "[data-tip]" + (folded() ? ",[data-rail-tip]" : "") + (innerWidth <= 720 ? "," + ICONS : "");
  const tipped = (ev) => ev.target.closest && ev.target.closest(tippable());
  document.addEventListener("pointerover", (ev) => {
    const el = tipped(ev);
    if (!el || ev.pointerType === "touch") return;
    clearTimeout(tipTimer); tipTimer = setTimeout(() => showTip(el), 350);
  });
  document.addEventListener("pointerout", (ev) => { if (tipped(ev)) hideTip(); });
  document.addEventListener("pointerdown", (ev) => {
    hideTip();
    const el = ev.pointerType === "touch" && tipped(ev); // held, not tapped
    if (el) tipTimer = setTimeout(() => showTip(el), 450);
  });
  document.addEventListener("focusin", (ev) => { const el = tipped(ev); if (!el || !el.matches(":focus-visible")) return hideTip(); clearTimeout(tipTimer); tipTimer = setTimeout(() => showTip(el)); }); // not at once: a popover that closes gives the focus back while it still closes

  // ---- The zone of this clock, so that the server knows where a day begins; no more than a wish ----------------
  try {
    const safe = location.protocol === "https:";
    document.cookie = (safe ? "__Host-" : "") + "zone=" + new Intl.DateTimeFormat().resolvedOptions().timeZone +
      "; path=/; max-age=31536000; samesite=lax" + (safe ? "; secure" : "");
  } catch { /* no cookies here: days are those of UTC */ }

  // ---- A grid of plain cells: which one was pressed, arrows between them, Space and Enter press ---------------
  let pressed = { column: 0, row: "" };
  window.inventoryCell = () => pressed;
  const cellOf = (el) => el.closest && el.closest("[data-grid] td[data-c]");
  window.addEventListener("click", (ev) => {
    const td = cellOf(ev.target);
    const head = td && td.closest("table").tHead.rows[0].cells[td.cellIndex];
    pressed = td ? { column: Number(head.dataset.column), row: td.parentElement.dataset.row } : { column: 0, row: "" };
  }, true);
  window.addEventListener("keydown", (ev) => {
    const td = cellOf(ev.target);
    if (!td || ev.ctrlKey || ev.metaKey || ev.altKey) return;
    if (ev.key === " " || ev.key === "Enter") { ev.preventDefault(); td.click(); return; }
    const lines = [...td.closest("tbody").querySelectorAll("tr[data-row]")], line = td.parentElement, at = lines.indexOf(line);
    const cells = [...line.querySelectorAll("td[data-c]")], here = cells.indexOf(td);
    const cell = (y, x) => lines[y] && lines[y].querySelectorAll("td[data-c]")[x];
    const next = { ArrowRight: cells[here + 1], ArrowLeft: cells[here - 1], ArrowDown: cell(at + 1, here), ArrowUp: cell(at - 1, here), Home: cells[0], End: cells[cells.length - 1] };
    if (!(ev.key in next)) return;
    ev.preventDefault();
    if (next[ev.key]) next[ev.key].focus();
  });

  // ---- Times: absolute from the server, relative here, exact on hover ----------------------------------------
  const day = (opts) => new Intl.DateTimeFormat("en-GB", opts);
  const HM = day({ hour: "2-digit", minute: "2-digit" }), WD = day({ weekday: "short" });
  const DM = day({ day: "numeric", month: "short" }), DMY = day({ day: "numeric", month: "short", year: "numeric" });
  const EXACT = day({ weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });
  function phrase(then, now) {
    const s = (now - then) / 1000;
    if (s < -60) return then.toDateString() === now.toDateString() ? HM.format(then) : DMY.format(then);
    if (s < 60) return "now";
    if (s < 3600) return Math.floor(s / 60) + " min ago";
    if (s < 6 * 3600) return Math.floor(s / 3600) + " h ago";
    if (then.toDateString() === now.toDateString()) return "today " + HM.format(then);
    if (s < 6 * 86400) return WD.format(then) + " " + HM.format(then);
    return then.getFullYear() === now.getFullYear() ? DM.format(then) : DMY.format(then);
  }
  function refine(el, now) {
    const then = new Date(el.getAttribute("datetime") || "");
    if (isNaN(then)) return;
    const style = el.getAttribute("data-relative");
    const whole = el.getAttribute("datetime").length === 10; // a day is the same one everywhere, and has no hours
    if (whole) then.setHours(0, 0, 0, 0), then.setFullYear(...el.getAttribute("datetime").split("-").map((part, at) => part - (at === 1)));
    const text = whole ? (then.getFullYear() === now.getFullYear() ? DM : DMY).format(then) : style === "clock" ? day({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(then)
      : style === "full" ? DMY.format(then) + " " + HM.format(then) : phrase(then, now);
    const exact = whole ? DMY.format(then) : EXACT.format(then);
    if (el.title !== exact) el.title = exact;
    const node = el.firstChild; // React keeps this very text node: change its words, never replace it
    if (node && node.nodeType === 3 && node.nodeValue !== text) node.nodeValue = text;
  }
  const refineIn = (root) => { const now = new Date(); all("time[data-relative]", root).forEach((el) => refine(el, now)); };
  setInterval(() => refineIn(document), 30000);

  // ---- What attributes alone cannot say: mixed checkboxes, the search text of the address --------------------
  function sync(el) {
    if (el.matches("button[data-density]")) { el.setAttribute("aria-pressed", String(document.documentElement.hasAttribute("data-compact"))); return; }
    if (el.matches("input[data-mixed]")) el.indeterminate = el.getAttribute("data-mixed") === "true";
    if (el.matches("input[data-search][data-value]") && document.activeElement !== el && el.value !== el.dataset.value) el.value = el.dataset.value;
  }
  const syncIn = (root) => all("input[data-mixed],input[data-search][data-value],button[data-density]", root).forEach(sync);

  /** Close the toast of a refusal whose sentence is to be read beside a field anyway. */
  function saidOnce(toast) {
    const said = (toast.querySelector("[data-title]") || toast).textContent.trim();
    const beside = [...all(".field[data-invalid=true]>.field-error,.count-line>.field-error")].some((el) => el.checkVisibility() && el.textContent.trim() === said);
    const close = toast.querySelector("[data-close-button]");
    if (beside && close) close.click();
  }

  // A dialog that code opens has no button to give the focus back to: what had it before gets it, not the top of the page.
  let before = null;
  document.addEventListener("focusin", (ev) => { if (!ev.target.closest("[role=dialog], [role=alertdialog], [role=menu]")) before = ev.target; });
  // Only for who goes on with the keys: a pointer is on its way to something else by then.
  let keyed = false;
  window.addEventListener("keydown", () => { keyed = true; }, true);
  window.addEventListener("pointerdown", () => { keyed = false; }, true);
  const giveBack = () => { if (keyed && before && before.isConnected && document.activeElement === document.body && !document.querySelector(OVER)) before.focus({ preventScroll: true }); };
  new MutationObserver((changes) => {
    if (sent || kept) keep();
    if (back && back !== here()) back = "";
    for (const change of changes) {
      const el = change.target;
      if (change.type === "attributes") {
        if (change.attributeName === "data-turn") [...busy.keys()].forEach((owner) => { if (owner.closest("[data-turn]") === el) release(owner); });
        else if (change.attributeName === "datetime") { if (el.matches("time[data-relative]")) refine(el, new Date()); }
        else sync(el);
      } else if (change.type === "characterData") {
        const time = el.parentElement && el.parentElement.closest("time[data-relative]");
        if (time) refine(time, new Date());
      } else {
        if (el.matches && el.matches("time[data-relative]")) refine(el, new Date());
        for (const node of change.addedNodes) {
          if (node.nodeType !== 1) continue;
          if (node.matches("time[data-relative]")) refine(node, new Date());
          if (node.matches("input")) sync(node);
          refineIn(node); syncIn(node);
          if (kept) fillAgain(node);
          if (node.closest("[data-jump-list]")) narrow();
          // The first toast comes inside the list of all.
          const toast = node.matches("[data-sonner-toast]") ? node : node.querySelector("[data-sonner-toast]");
          if (toast) queueMicrotask(() => { if (toast.dataset.type === "error") { releaseAll(); setTimeout(saidOnce, 50, toast); } });
        }
        if (change.removedNodes.length && el.closest && el.closest("[data-jump-list]")) narrow();
        if (change.removedNodes.length && tipOf && !tipOf.isConnected) { hideTip(); tipOf = undefined; } // no pointerout comes
        for (const node of change.removedNodes) if (node.nodeType === 1 && (node.matches(".dialog") || node.querySelector(".dialog"))) setTimeout(giveBack, 10);
        if (change.removedNodes.length && busy.size) [...busy.keys()].forEach((owner) => { if (!owner.isConnected) release(owner); });
      }
    }
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-turn", "datetime", "data-mixed", "data-value"] });
  // A list is exported as it is seen: its view is the address of the page at the moment of the click.
  document.addEventListener("click", (ev) => {
    const out = ev.target.closest && ev.target.closest("a[data-export]");
    if (!out) return;
    const [path, fixed] = out.dataset.export.split("?");
    const view = new URLSearchParams(location.search);
    new URLSearchParams(fixed).forEach((value, name) => view.set(name, value));
    out.href = view.size ? `${path}?${view}` : path;
  }, true);
  // React owns the first paint: start after it, so that hydration finds what the server wrote.
  const start = () => { refineIn(document); syncIn(document); };
  if (document.readyState === "complete") setTimeout(start, 0); else window.addEventListener("load", () => setTimeout(start, 0));
})();
