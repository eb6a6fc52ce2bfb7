// Passkeys on the sign-in and account pages: asks the service for options, hands them to the browser's authenticator
// and sends back what it answers. Without this script, or a browser that knows passkeys, the forms with codes do.
"use strict";

(() => {
  const box = document.querySelector("[data-passkey]");
  const known = window.PublicKeyCredential;
  if (!box || !known || !known.parseCreationOptionsFromJSON || !known.parseRequestOptionsFromJSON) return;

  const making = box.dataset.passkey === "create";
  const status = box.querySelector("[role=status]");
  const button = box.querySelector("button");
  const csrf = document.querySelector("input[name=csrf]").value;

  async function ask(path, body) {
    const reply = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify(body),
    });
    const told = await reply.json();
    if (!reply.ok) throw new Error(told.words || told.title || "That did not work.");
    return told;
  }

  async function ceremony() {
    const options = await ask(box.dataset.options, {});
    if (making) {
      const publicKey = known.parseCreationOptionsFromJSON(options);
      const credential = (await navigator.credentials.create({ publicKey })).toJSON();
      return ask(box.dataset.verify, { credential, name: box.querySelector("input[name=name]").value });
    }
    const publicKey = known.parseRequestOptionsFromJSON(options);
    return ask(box.dataset.verify, (await navigator.credentials.get({ publicKey })).toJSON());
  }

  async function go() {
    button.disabled = true;
    status.textContent = "Follow what your browser asks.";
    try {
      window.location.assign((await ceremony()).next);
    } catch (error) {
      status.textContent = error.name === "NotAllowedError" ? "That was cancelled. Try again." : error.message;
      button.disabled = false;
    }
  }

  box.hidden = false;
  button.addEventListener("click", (event) => {
    event.preventDefault();
    go();
  });
})();
