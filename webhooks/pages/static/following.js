// A page that lists runs is read again when something happened, once it is seen: a part of it where it has one,
// and only if the server says that it is another one. Without this file a page shows what was when it was opened.
"use strict";
(() => {
  const list = document.querySelector("[data-follow]");
  if (!list) return;
  let stale = false, reading = false;

  const replace = (now) => {
    const old = document.querySelector("[data-follow]");
    const focus = document.activeElement;
    const name = focus && old.contains(focus) && (focus.getAttribute("href") || focus.getAttribute("aria-label"));
    for (const open of old.querySelectorAll("details[id][open]"))
      if (open.querySelector("form")) now.querySelector(`details[id="${CSS.escape(open.id)}"]`)?.replaceWith(open); // with what was typed
      else now.querySelector(`details[id="${CSS.escape(open.id)}"]`)?.setAttribute("open", "");
    old.replaceWith(now);
    if (focus && now.contains(focus)) focus.focus({ preventScroll: true });
    else if (name) now.querySelector(`[href="${CSS.escape(name)}"], [aria-label="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
    document.dispatchEvent(new Event("redrawn"));
  };
  const read = async () => {
    if (!stale || reading || document.hidden) return;
    stale = false; reading = true;
    try {
      const { part, tag } = document.querySelector("[data-follow]").dataset;
      const asked = location.href;
      const answer = await fetch(part || asked, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
      if (asked !== location.href) stale = true; // something else is looked for by now
      else if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const main = page.querySelector("[data-follow]");
        if (main) replace(main);
      } else if (answer.status === 401) source.close();
      else if (answer.status >= 500) setTimeout(() => { stale = true; read(); }, 5000);
    } catch { stale = true; } // the service is away: the stream comes back with it
    reading = false;
    if (stale) read();
  };
  const again = () => { // what could not be told yet is asked for again
    if (document.querySelector("[data-follow][data-again]")) setTimeout(() => { stale = true; read(); }, 2000);
  };
  again();
  document.addEventListener("redrawn", again);
  const source = new EventSource(list.dataset.follow);
  let opened = false;
  source.addEventListener("open", () => { stale = stale || opened; opened = true; read(); });
  source.addEventListener("changed", () => { stale = true; read(); });
  document.addEventListener("visibilitychange", read);
})();
