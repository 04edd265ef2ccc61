// Saves what can be copied as a file.

for (const link of document.querySelectorAll("a[data-save]")) {
  const content = link.closest("[data-copyable]").dataset.copyable;
  link.href = URL.createObjectURL(new Blob([`${content}\n`], { type: "text/plain" }));
  link.download = link.dataset.save;
  link.hidden = false;
}
