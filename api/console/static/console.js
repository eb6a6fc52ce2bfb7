// The staff console's keys, and the board that keeps itself up to date. Every page works without this file: it only
// moves the focus, opens what can be opened by hand, sends forms that are there, and fetches what a reload would show.
"use strict";

(() => {
  const LOOK_EVERY_MS = 10_000;
  const REST_AFTER_MS = 600_000; // looking on keeps a session alive, so it stops when nobody is there
  const HOLD_EVERY_MS = 120_000; // of a lease of a quarter of an hour

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const status = one("#status");
  const help = one("#help");

  function say(words) {
    status.textContent = "";
    setTimeout(() => { status.textContent = words; }, 80); // an empty line first, or the same words are not said again
  }

  let active = Date.now();
  ["keydown", "pointermove", "pointerdown", "focus"].forEach((kind) =>
    window.addEventListener(kind, () => { active = Date.now(); }, { passive: true }));
  const present = () => Date.now() - active < REST_AFTER_MS;

  // -- rows: fields of a case, cases of the board ----------------------------------------------------------------

  const beside = window.matchMedia("(min-width: 1000px)");
  const rows = () => all("[data-field]").filter((row) => row.offsetParent !== null);

  function choose(row, focus = true) {
    all("[data-field].current, rect.current").forEach((each) => each.classList.remove("current"));
    row.classList.add("current");
    if (focus) {
      row.tabIndex = -1;
      row.focus({ preventScroll: true });
      row.scrollIntoView({ block: "nearest" });
    }
    if (row.dataset.document) point(row);
  }

  function point(row) {
    const sheet = document.getElementById(row.dataset.document);
    if (!sheet) return;
    const mark = all("rect[data-mark]", sheet).find((each) => each.dataset.mark === row.dataset.field);
    if (beside.matches) turnTo(sheet, false);
    if (!mark) return;
    mark.classList.add("current");
    if (beside.matches) mark.scrollIntoView({ block: "center" });
  }

  function move(step) {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.classList.contains("current"));
    if (at >= 0) return choose(list[Math.min(Math.max(at + step, 0), list.length - 1)]);
    const shown = sheet() && list.find((row) => row.dataset.document === sheet().id); // begin where the eyes are
    choose(step > 0 ? shown || list[0] : list[list.length - 1]);
  }

  function edit() {
    const inputs = (row) => one("input, select", row);
    const row = one("[data-field].current") || rows().find((each) => inputs(each) && !inputs(each).value);
    const input = row && inputs(row);
    if (!input) return say("There is nothing to write down here.");
    choose(row, false);
    input.focus();
    if (input.select) input.select();
  }

  function takeOver() {
    const row = one("[data-field].current");
    const input = row && "read" in row.dataset && one("input, select", row);
    if (!input) return say("The machine read nothing here.");
    input.value = row.dataset.read;
    const next = rows()[rows().indexOf(row) + 1];
    if (next && next.dataset.document === row.dataset.document) choose(next);
    else say("That was its last field.");
  }

  function openRow() {
    const link = one(".current .case-link");
    if (link) link.click();
  }

  // -- documents ---------------------------------------------------------------------------------------------------

  const sheets = () => all("details.document");
  const sheet = () => one("details.document.current") || sheets().find((each) => each.open) || sheets()[0];

  function fetchNext(shown) { // drawing a page takes a second: the next document's is there when it is turned to
    const next = sheets()[sheets().indexOf(shown) + 1];
    const picture = next && one("img", next);
    if (picture) picture.loading = "eager";
  }

  function turnTo(target, scroll = true) {
    sheets().forEach((each) => {
      each.open = each === target;
      each.classList.toggle("current", each === target);
    });
    fetchNext(target);
    if (scroll) {
      one("summary", target).focus({ preventScroll: true });
      target.scrollIntoView({ block: "start" });
    }
  }

  function read(target, focus) { // what a document says stands beside it, and the keys of fields begin there
    const row = rows().find((each) => each.dataset.document === target.id);
    if (!row) return;
    choose(row, focus);
    if (beside.matches) one(".compared-head", row.parentElement).scrollIntoView({ block: "start" });
  }

  function turn(step) {
    const list = sheets();
    const next = list[list.indexOf(sheet()) + step];
    if (!next) return;
    turnTo(next);
    read(next, false);
  }

  function accept() {
    const shown = sheet();
    const button = shown && one("[data-act=accept]", shown);
    if (!button) return say("This document cannot be accepted now.");
    shown.open = true;
    button.focus();
    say("Press Enter to accept " + one(".document-title", shown).textContent.trim());
  }

  function pull(drawer, refusal) {
    if (!drawer) return say(refusal);
    drawer.open = true;
    const first = one("select, textarea, .drawer-body button", drawer);
    if (first) first.focus();
  }

  function conclude() {
    const approve = one("#approve button.first");
    if (!approve) return pull(one("#verify-drawer"), "This case cannot be verified or approved now.");
    approve.scrollIntoView({ block: "center" });
    approve.focus();
    say("Press Enter to approve");
  }

  const here = () => window.location.pathname;

  function readOn() { // after something was done with a document: the one it was about, or the next to look at
    if (window.sessionStorage.getItem("console.reading") !== here()) return;
    window.sessionStorage.removeItem("console.reading");
    const named = document.getElementById(window.location.hash.slice(1));
    const next = sheets().includes(named) ? named : sheet();
    if (!next || one("#faults")) return;
    turnTo(next, false);
    read(next, true);
  }

  // -- keys --------------------------------------------------------------------------------------------------------

  const KEYS = {
    "n": () => { const form = one("#next-form"); if (form) form.requestSubmit(one("button", form)); },
    "b": () => window.location.assign("/console"),
    "/": () => { const search = one("#q") || one("#search"); if (search) { search.focus(); search.select(); } },
    "j": () => move(1),
    "k": () => move(-1),
    "e": edit,
    "m": takeOver,
    "o": openRow,
    "[": () => turn(-1),
    "]": () => turn(1),
    "a": accept,
    "r": () => { const shown = sheet(); pull(shown && one(".drawer", shown), "This document cannot be returned now."); },
    "v": conclude,
    "c": () => pull(one("#note-drawer"), "A note can be written while you hold the case."),
    "?": () => help.showModal(),
  };

  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");

  function leave(target) {
    const drawer = target.closest("details.drawer[open]") || one("details.drawer[open]");
    if (drawer) {
      drawer.open = false;
      one("summary", drawer).focus();
    } else if (typing(target)) {
      const row = target.closest("[data-field]");
      if (row) choose(row);
      else target.blur();
    }
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open) return;
    if (event.key === "Escape") return leave(event.target);
    if (typing(event.target) || !one("#keys-on").checked) return;
    const act = Object.hasOwn(KEYS, event.key) && KEYS[event.key];
    if (!act || (event.repeat && !"jk".includes(event.key))) return;
    event.preventDefault();
    act();
  }

  function setUpKeys() {
    if (!help) return; // nobody is signed in
    const on = one("#keys-on");
    on.checked = window.sessionStorage.getItem("console.keys") !== "off";
    on.addEventListener("change", () => window.sessionStorage.setItem("console.keys", on.checked ? "on" : "off"));
    one("#help-button").hidden = false;
    one("#help-button").addEventListener("click", () => help.showModal());
    document.addEventListener("keydown", pressed);
    document.addEventListener("focusin", (event) => {
      const row = event.target.closest("[data-document]");
      if (row && !row.classList.contains("current")) choose(row, false);
    });
  }

  // -- forms: sent once, and nothing typed is lost unasked -----------------------------------------------------------

  let sent = null;
  const unsaved = () => all("input[name^='field.'], textarea").filter(
    (each) => each.value !== each.defaultValue && each.form && each.form !== sent,
  );

  function setUpForms() {
    document.addEventListener("submit", (event) => {
      if (event.target.method !== "post") return;
      if (event.target.dataset.sent) return event.preventDefault();
      event.target.dataset.sent = "yes";
      if (event.target.action.includes("/console/documents/")) window.sessionStorage.setItem("console.reading", here());
      sent = event.target;
    });
    window.addEventListener("pageshow", () => {
      sent = null;
      all("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
    });
    window.addEventListener("beforeunload", (event) => {
      if (!unsaved().length) return;
      event.preventDefault();
      if (sent) delete sent.dataset.sent; // who stays may send it again
    });
  }

  // -- a case stays with whoever works on it ------------------------------------------------------------------------

  function setUpHolding() {
    const held = one("#held");
    if (!held) return;
    const place = held.dataset.renewal;
    const lost = (words) => {
      held.className = "holder bad";
      held.textContent = words;
      say(words);
      window.clearInterval(timer);
    };

    async function hold() {
      const [last, at] = (window.sessionStorage.getItem("console.held") || " 0").split(" ");
      if (!present() || (last === place && Date.now() - Number(at) < HOLD_EVERY_MS)) return;
      const reply = await fetch(place, {
        method: "POST", headers: { "X-CSRF-Token": held.dataset.csrf }, redirect: "manual", cache: "no-store",
      }).catch(() => null);
      if (!reply || reply.status >= 500) return; // tries again in time: the lease is many times longer
      if (!reply.ok) return lost(reply.status === 409 ? "You no longer hold this case." : "You are signed out.");
      window.sessionStorage.setItem("console.held", place + " " + Date.now());
      one("time", held).textContent = await reply.text();
    }
    const timer = window.setInterval(hold, LOOK_EVERY_MS);
    hold();
  }

  // -- the board keeps itself up to date -------------------------------------------------------------------------------

  function setUpBoard() {
    const live = one("#live");
    if (!live) return;
    const note = one("#live-note");
    let over = false;

    function swap(text, version) {
      const before = one("#live-part").dataset.summary;
      const focused = live.contains(document.activeElement) ? document.activeElement.closest("[id]") : null;
      const marked = one("[data-field].current", live);
      live.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
      live.dataset.version = version;
      const again = marked && document.getElementById(marked.id);
      if (again) choose(again, focused === marked);
      else if (focused && focused.id && document.getElementById(focused.id)) {
        (one("a, button", document.getElementById(focused.id)) || document.getElementById(focused.id)).focus();
      }
      const now = one("#live-part").dataset.summary;
      if (now !== before) say("Board changed: " + now);
    }

    async function look() {
      if (over || document.hidden) return;
      if (!present()) { note.textContent = "Paused, since nobody was here. Press any key to go on."; return; }
      try {
        const reply = await fetch(live.dataset.source, {
          headers: { "If-None-Match": `"${live.dataset.version}"` }, cache: "no-store", redirect: "manual",
        });
        if (reply.type === "opaqueredirect" || reply.status === 401 || reply.status === 403) {
          over = true;
          note.textContent = "You are signed out. Load the page again to sign in.";
          return say(note.textContent);
        }
        if (reply.status === 200) swap(await reply.text(), (reply.headers.get("ETag") || "").replaceAll('"', ""));
        else if (reply.status !== 304) throw new Error(String(reply.status));
        note.textContent = "Kept up to date; last looked at " + new Date().toLocaleTimeString() + ".";
      } catch {
        note.textContent = "Could not be brought up to date; tries again in ten seconds.";
      }
    }
    window.setInterval(look, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", look);
    note.textContent = "Kept up to date every ten seconds.";
  }

  setUpKeys();
  setUpForms();
  setUpHolding();
  if (sheet()) fetchNext(sheet());
  readOn();
  setUpBoard();
  const faults = one("#faults");
  const told = one("[data-say]");
  if (faults) faults.focus();
  else if (told) say(told.textContent.trim());
})();
