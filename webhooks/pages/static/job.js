// Times of a schedule by the reader's own clock; without this file they are in UTC.
"use strict";
(() => {
  const head = document.querySelector("[data-zone]");
  if (!head) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  const format = new Intl.DateTimeFormat("en-GB", { // whose digits and days are those of the other column
    weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    hourCycle: "h23", timeZoneName: "short", numberingSystem: "latn",
  });
  head.textContent = `Yours (${zone})`;
  for (const one of document.querySelectorAll("time[data-own]")) {
    const at = Object.fromEntries(format.formatToParts(new Date(one.dateTime)).map((part) => [part.type, part.value]));
    const words = [`${at.weekday} ${at.year}-${at.month}-${at.day}`, `${at.hour}:${at.minute} ${at.timeZoneName}`];
    one.title = one.textContent;
    one.replaceChildren(...words.flatMap((text) => [Object.assign(document.createElement("span"), { textContent: text }), " "]));
  }
})();
