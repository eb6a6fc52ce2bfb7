// What pages do better with a script; every one works without.
"use strict";

// The first problem is where a person should look.
const summary = document.getElementById("summary");
if (summary) {
  document.title = `Error: ${document.title}`.replace(/^Error: Error: /, "Error: ");
  summary.focus();
}

// A form is sent once: the server takes a second sending for the first one anyway.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
}

// Questions that an answer leads to appear as soon as it is given.
for (const part of document.querySelectorAll("[data-under]")) {
  const when = part.dataset.when.split(" ");
  const show = () => {
    const chosen = document.querySelector(`input[name="${part.dataset.under}"]:checked`);
    part.hidden = !chosen || !when.includes(chosen.value);
  };
  for (const choice of document.querySelectorAll(`input[name="${part.dataset.under}"]`)) choice.addEventListener("change", show);
  show();
}

// Progress of a decision: asked for again until it is there.
const progress = document.getElementById("progress");
if (progress) {
  let tries = 0;
  const look = async () => {
    tries += 1;
    try {
      const reply = await fetch(progress.dataset.poll, { headers: { Accept: "text/html" } });
      if (reply.redirected) location.replace(reply.url);
    } catch { /* the line is away for a moment */ }
    if (tries < 120) setTimeout(look, tries < 10 ? 800 : 3000);
  };
  setTimeout(look, 500);
}

// The explorer: sliders beside the boxes, and figures that follow without a new page.
const explorer = document.querySelector("form[data-explore]");
if (explorer) {
  let waiting;
  const ask = async () => {
    const address = `${explorer.action}?${new URLSearchParams(new FormData(explorer))}`;
    const reply = await fetch(address, { headers: { Accept: "text/html" } });
    const found = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("result");
    if (found) document.getElementById("result").replaceWith(document.adoptNode(found));
  };
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(() => ask().catch(() => {}), 250); };
  for (const slider of explorer.querySelectorAll("input[type=range]")) {
    const box = document.getElementById(slider.dataset.for);
    slider.hidden = false;
    slider.addEventListener("input", () => { box.value = Number(slider.value).toLocaleString("en-AU"); soon(); });
    box.addEventListener("input", () => { slider.value = box.value.replace(/[^0-9.]/g, ""); soon(); });
  }
  explorer.addEventListener("change", soon);
}

// Files: sent piece by piece, so that a bad line costs the last piece and not the whole.
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const asked = async (address, options, tries = 8) => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const reply = await fetch(address, options);
      if (reply.status < 500 || attempt >= tries) return reply;
    } catch (failure) {
      if (attempt >= tries) throw failure;
    }
    await pause(Math.min(1000 * 2 ** attempt, 15000) * (0.5 + Math.random() / 2));
  }
};

const sendFile = async (form, file, show) => {
  const headers = { "X-CSRF-Token": form.elements.csrf.value, Accept: "application/json" };
  const about = new URLSearchParams({ kind: form.elements.kind.value, person_ref: form.elements.person_ref.value, type: file.type, bytes: file.size });
  // Chosen again after the line was cut for long, or the page was left: it goes on where it was.
  const key = `${form.dataset.upload}?${about}&${file.name}&${file.lastModified}`, begun = sessionStorage.getItem(key);
  let found = begun && await asked(begun, { headers });
  if (!found || !found.ok) {
    found = await asked(`${form.dataset.upload}?${about}`, { method: "POST", headers });
    if (!found.ok) throw new Error((await found.json()).title);
  }
  let now = await found.json();
  const address = `${form.dataset.upload}/${now.upload_id}`;
  sessionStorage.setItem(key, address);
  while (!now.done) {
    const piece = file.slice(now.received, now.received + Math.min(now.most_piece, 262144));
    const reply = await asked(`${address}?offset=${now.received}`, { method: "PUT", headers: { ...headers, "Content-Type": "application/octet-stream" }, body: piece });
    if (reply.status === 409) now = await (await asked(address, { headers })).json();
    else if (reply.ok) now = await reply.json();
    else throw new Error((await reply.json()).title);
    show(now.received / now.bytes);
  }
  sessionStorage.removeItem(key);
};

const refresh = async () => {
  const live = document.getElementById("live");
  if (!live || document.querySelector(".sending > *") || live.contains(document.activeElement)) return;
  const reply = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!reply.ok || reply.redirected) return;
  const found = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("live");
  if (found && found.innerHTML !== live.innerHTML) { live.replaceWith(document.adoptNode(found)); ready(); }
};

function ready() {
  for (const form of document.querySelectorAll("form[data-upload]")) {
    const input = form.querySelector("input[type=file]"), list = form.querySelector(".sending");
    form.querySelector("button").hidden = true;
    const take = async (files) => {
      for (const file of files) {
        const row = document.createElement("div"), bar = document.createElement("progress");
        bar.max = 1;
        row.append(`${file.name} (${(file.size / 1e6).toFixed(1)} MB)`, bar);
        list.append(row);
        if (!["application/pdf", "image/png", "image/jpeg"].includes(file.type)) { row.replaceChildren(`${file.name}: send a PDF, PNG or JPEG file.`); continue; }
        if (file.size > form.dataset.most * 1e6) { row.replaceChildren(`${file.name}: larger than ${form.dataset.most} MB.`); continue; }
        try {
          await sendFile(form, file, (share) => { bar.value = share; });
          row.remove();
        } catch (failure) {
          row.replaceChildren(`${file.name} was not sent: ${failure.message}. Choose it again to go on.`);
        }
      }
      input.value = "";
      input.blur();
      await refresh();
    };
    input.addEventListener("change", () => take([...input.files]));
    form.addEventListener("submit", (event) => { event.preventDefault(); take([...input.files]); });
    for (const name of ["dragover", "dragenter"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
    for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
    form.addEventListener("drop", (event) => { event.preventDefault(); take([...event.dataTransfer.files]); });
  }
}
ready();
if (document.querySelector("[data-live=yes]")) setInterval(() => { if (!document.hidden) refresh().catch(() => {}); }, 5000);
