// The clock that ticks, and buttons. Without this file every page still shows all it has.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("has-js");
  const skew = Date.now() / 1000 - Number(document.body.dataset.now);

  // As bot/text/vocabulary.py writes durations, in whole seconds: the two largest units.
  const units = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const duration = (s) => {
    const at = units.findIndex(([size]) => s >= size || size === 1);
    const [[size, name], [smaller, smallerName] = [1, ""]] = units.slice(at);
    const rest = Math.floor(s % size / smaller);
    return `${Math.floor(s / size)}${name}${rest ? ` ${rest}${smallerName}` : ""}`;
  };

  const tick = () => {
    for (const one of document.querySelectorAll("[data-since]"))
      one.textContent = duration(Math.max(0, Math.floor(Date.now() / 1000 - skew - Number(one.dataset.since))));
    for (const one of document.querySelectorAll("[data-until]"))
      one.textContent = duration(Math.max(0, Math.ceil(Number(one.dataset.until) + skew - Date.now() / 1000)));
  };
  tick();
  document.addEventListener("redrawn", tick);
  setInterval(tick, 200);

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch { // only secure pages may write to the clipboard: mark it for the visitor's own copy
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "Marked";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });

  document.addEventListener("submit", (event) => { // what its answer shows once would be lost to a second click
    if (event.target.dataset.once === "sent") event.preventDefault();
    else if (event.target.dataset.once === "") event.target.dataset.once = "sent";
  });
  addEventListener("pageshow", () => {
    for (const one of document.querySelectorAll("[data-once]")) one.dataset.once = "";
  });

  document.addEventListener("click", (event) => { // what is drawn of a run leads to it; its table has the links
    const drawn = event.target.closest("svg [data-href]");
    if (drawn) location.href = drawn.dataset.href;
  });
})();
