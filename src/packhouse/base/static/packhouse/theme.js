// Runs before the first paint: sets the visitor's choice of light or dark, which the server leaves out of the page so
// that caches can keep one page for everybody.  Without script /theme.css does the same.
(() => {
  const root = document.documentElement;
  const choice = /(?:^|; )theme=(light|dark)(?:;|$)/.exec(document.cookie)?.[1];
  if (choice) root.style.colorScheme = choice;
  root.dataset.theme = choice ?? "auto";
  root.dataset.script = "";
})();
