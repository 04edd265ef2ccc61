// Security keys and passkeys: asks the server for options, the browser for an answer, and sends the page's form with it.

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBytes = (list) => (list ?? []).map((item) => ({ ...item, id: bytes(item.id) }));

async function ask(form) {
  const kind = form.querySelector("[name=kind]:checked")?.value;
  const answer = await fetch(form.dataset.options + (kind ? `${kind}/` : ""), {
    method: "POST",
    headers: { "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value },
  });
  if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
  return (await answer.json()).publicKey;
}

async function create(options) {
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: withBytes(options.excludeCredentials),
    },
  });
  const { clientDataJSON, attestationObject } = credential.response;
  return described(credential, { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) });
}

async function get(options) {
  const credential = await navigator.credentials.get({
    publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: withBytes(options.allowCredentials) },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  return described(credential, {
    clientDataJSON: text(clientDataJSON),
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    userHandle: userHandle ? text(userHandle) : null,
  });
}

const described = ({ id, rawId, type }, response) => JSON.stringify({ id, rawId: text(rawId), type, response });

async function begin(event, form) {
  const field = form.elements[form.dataset.field];
  if (field.value) return;
  event.preventDefault();
  const problem = form.querySelector("[data-webauthn-error]");
  const button = form.querySelector("button:not([type=button])");
  problem.hidden = button.disabled = true;
  try {
    const options = await ask(form);
    field.value = await (form.dataset.webauthn === "create" ? create(options) : get(options));
    form.requestSubmit();
  } catch {
    problem.textContent = form.dataset.refused;
    problem.hidden = button.disabled = false;
  }
}

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-webauthn]")) {
    form.hidden = false;
    form.elements[form.dataset.field].value = "";
    form.addEventListener("submit", (event) => begin(event, form));
  }
}
