// When its reader looked last, the line of the next hour as time goes on, and how far what runs is.
"use strict";
(() => {
  const skew = Date.now() / 1000 - Number(document.body.dataset.now);
  const HOUR = 3600, WIDTH = 1000;
  const tick = () => {
    const now = Date.now() / 1000 - skew;
    for (const one of document.querySelectorAll("progress[data-start]")) one.value = Math.min(now - Number(one.dataset.start), one.max);
    for (const one of document.querySelectorAll("[data-late]")) one.hidden = now < Number(one.dataset.late);
    for (const one of document.querySelectorAll("line[data-from]")) {
      const x = Math.min((now - Number(one.dataset.from)) / HOUR, 1) * WIDTH;
      one.setAttribute("x1", x); one.setAttribute("x2", x);
    }
  };
  tick();
  setInterval(tick, 1000);
  document.addEventListener("redrawn", tick);

  // What was seen is what stood there when it was shown last, so that is kept once the page is left.
  let seen = 0;
  const shown = () => { if (!document.hidden) seen = Math.floor(Date.now() / 1000 - skew); };
  const left = () => {
    if (!seen) return;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `looked=${seen}; Path=/; Max-Age=604800; SameSite=Strict${secure}`;
  };
  shown();
  document.addEventListener("redrawn", shown);
  addEventListener("pagehide", left);
  document.addEventListener("visibilitychange", () => { if (document.hidden) left(); });
})();
