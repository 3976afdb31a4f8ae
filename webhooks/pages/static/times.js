// Moments by the clocks of whoever reads, with what the page said in the tooltip; digits are those of the page in
// any language. Without this file moments are in UTC.
"use strict";
(() => {
  const format = new Intl.DateTimeFormat("en-GB", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hourCycle: "h23", timeZoneName: "short", numberingSystem: "latn",
  });
  const forms = [
    [/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/, (at) => `${at.year}-${at.month}-${at.day} ${at.hour}:${at.minute} ${at.timeZoneName}`],
    [/^\d\d:\d\d UTC$/, (at) => `${at.hour}:${at.minute}`],
    [/^\d\d:\d\d:\d\d$/, (at) => `${at.hour}:${at.minute}:${at.second}`],
  ];
  const show = (one) => {
    const date = new Date(one.dateTime);
    if (one.dataset.local || Number.isNaN(date.getTime())) return;
    one.dataset.local = "yes";
    const at = Object.fromEntries(format.formatToParts(date).map((part) => [part.type, part.value]));
    const told = one.title || one.textContent.trim(), whole = forms[0][1](at);
    const form = forms.find(([pattern]) => pattern.test(one.textContent.trim()));
    if (form && !("own" in one.dataset)) { one.textContent = form[1](at); one.title = told; }
    else one.title = told === whole ? told : `${whole} (${told})`;
  };
  const all = () => document.querySelectorAll("time").forEach(show);
  all();
  document.addEventListener("redrawn", all);
})();
