// The clock that ticks, buttons, and lists that are read again. Without this file every page still shows all it has.
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
  const clocks = () => {
    for (const one of document.querySelectorAll("time")) one.title = new Date(one.dateTime).toLocaleString();
  };
  clocks();
  tick();
  document.addEventListener("redrawn", () => { clocks(); tick(); });
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

  document.addEventListener("click", (event) => { // what is drawn of a run leads to it; its table has the links
    const drawn = event.target.closest("svg [data-href]");
    if (drawn) location.href = drawn.dataset.href;
  });

  // A page that lists runs is read again when something happened, once it is seen.
  const list = document.querySelector("[data-follow]");
  if (list) {
    let stale = false, reading = false;
    const read = async () => {
      if (!stale || reading || document.hidden) return;
      stale = false; reading = true;
      try {
        const asked = location.href;
        const answer = await fetch(asked);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const main = page.querySelector("[data-follow]");
        const kept = document.activeElement && document.activeElement.getAttribute("href");
        if (asked !== location.href) stale = true; // something else is looked for by now
        else if (answer.ok && main) {
          for (const open of document.querySelectorAll("[data-follow] details[id][open]"))
            main.querySelector(`details[id="${CSS.escape(open.id)}"]`)?.setAttribute("open", "");
          document.querySelector("[data-follow]").replaceWith(main);
          if (kept) main.querySelector(`[href="${CSS.escape(kept)}"]`)?.focus({ preventScroll: true });
          clocks(); tick();
        } else if (answer.status === 401) source.close();
      } catch { stale = true; } // the service is away: the stream comes back with it
      reading = false;
      read();
    };
    const source = new EventSource(list.dataset.follow);
    let opened = false;
    source.addEventListener("open", () => { stale = stale || opened; opened = true; read(); });
    source.addEventListener("changed", () => { stale = true; read(); });
    document.addEventListener("visibilitychange", read);
  }
})();
