// Times of a schedule by the reader's own clock; without this file they are in UTC.
"use strict";
(() => {
  const head = document.querySelector("[data-zone]");
  if (!head) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  const shown = new Intl.DateTimeFormat(undefined, {
    weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
  head.textContent = `Yours (${zone})`;
  for (const one of document.querySelectorAll("time[data-own]")) one.textContent = shown.format(new Date(one.dateTime));
})();
