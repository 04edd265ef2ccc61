// What pages do beyond plain HTML.  Everything here improves something that works without it; texts come from the page.

const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];
const words = document.body.dataset;

function announce(text) {
  const place = find("#announcer");
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}

function focusSearch(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const field = find("[data-search]");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

async function copy(button) {
  const source = button.closest("[data-copyable]");
  const text = source.dataset.copyable || find("code", source).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    getSelection().selectAllChildren(find("code", source));
    return announce(words.copyFailed);
  }
  const use = find("use", button);
  const [sprite] = use.getAttribute("href").split("#");
  use.setAttribute("href", `${sprite}#check`);
  button.classList.add("done");
  announce(words.copied);
  setTimeout(() => {
    use.setAttribute("href", `${sprite}#copy`);
    button.classList.remove("done");
  }, 2000);
}

// A link with data-dialog leads to a page that asks for confirmation; here the question comes to the reader instead.
async function openDialog(link) {
  let answer;
  try {
    answer = await fetch(link.href, { headers: { "X-Requested-With": "fetch" } });
  } catch { /* the page itself will say what is wrong */ }
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const question = page && find("[data-confirmation]", page);
  if (!question || answer.redirected) return location.assign(link.href);
  const dialog = document.createElement("dialog");
  dialog.append(document.importNode(question, true));
  dialog.setAttribute("aria-labelledby", find("h1, h2", dialog).id);
  for (const form of findAll("form", dialog)) form.action ||= link.href;
  for (const form of findAll("form:not([action])", dialog)) form.setAttribute("action", link.href);
  dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.body.append(dialog);
  prepare(dialog);
  dialog.showModal();
  find("input:not([type=hidden])", dialog)?.focus();
}

function addReveal(input) {
  const wrap = document.createElement("div");
  wrap.className = "with-button";
  const button = find("#reveal-button").content.firstElementChild.cloneNode(true);
  const use = find("use", button);
  const [sprite] = use.getAttribute("href").split("#");
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    use.setAttribute("href", `${sprite}#${shown ? "eye-off" : "eye"}`);
  });
  input.form?.addEventListener("submit", () => { input.type = "password"; });
  input.replaceWith(wrap);
  wrap.append(input, button);
}

async function fetchParts(address) {
  const answer = await fetch(address, { headers: { "X-Requested-With": "fetch" } });
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
}

// What a public page does not say to everybody comes afterwards, to whoever is signed in.
async function fetchPersonal() {
  if (!("personal" in words) || !/(?:^|; )personal=/.test(document.cookie)) return;
  findAll("[data-part]").forEach(fetchPart);
  const page = await fetchParts(words.personal);
  if (!page) return;
  find("#account").replaceWith(document.importNode(find("#account", page), true));
  find("#flash").append(...find("#flash", page).children);
}

async function fetchPart(place) {
  const page = await fetchParts(place.dataset.part);
  if (page) place.replaceChildren(...page.body.childNodes);
}

// A page with data-waits is left for that address once the server has been away and is back.
async function waitForServer(address) {
  const started = performance.now();
  let wasAway = false;
  for (;;) {
    await new Promise((go) => { setTimeout(go, 300); });
    const isReady = await fetch("/_ready/", { cache: "no-store" }).then((answer) => answer.ok, () => false);
    wasAway ||= !isReady || performance.now() - started > 20000;
    if (isReady && wasAway) return location.assign(address);
  }
}

function prepare(root) {
  findAll("input[type=password]", root).forEach(addReveal);
}

document.addEventListener("keydown", (event) => {
  focusSearch(event);
  if (event.key !== "Escape") return;
  for (const menu of findAll("details.menu[open]")) {
    menu.open = false;
    find("summary", menu).focus();
  }
});
document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-copy], [data-dismiss], [data-close], a[data-dialog]");
  for (const menu of findAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (!target) return;
  if (target.matches("[data-copy]")) copy(target);
  if (target.matches("[data-dismiss]")) {
    target.closest(".alert").remove();
    find("main").focus();
  }
  const dialog = target.closest("dialog");
  if (target.matches("[data-close]") && dialog) {
    event.preventDefault();
    dialog.close();
  }
  if (target.matches("a[data-dialog]") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDialog(target);
  }
});
for (const select of findAll("select[data-submits]")) {
  find("[data-submits-instead]", select.form)?.remove();
  select.addEventListener("change", () => select.form.requestSubmit());
}
for (const button of findAll("button[name=theme]")) {
  button.setAttribute("aria-pressed", String(button.value === document.documentElement.dataset.theme));
}
prepare(document);
find("[data-focus]")?.focus();
fetchPersonal();
if (find("[data-waits]")) waitForServer(find("[data-waits]").dataset.waits);
