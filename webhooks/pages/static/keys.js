// Keys of pages that list something: to the search, through the rows, and what keys there are.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll(".joblist .name, .runs > li > a:not(.plain)")]
    .filter((one) => one.offsetParent !== null);
  const field = () => document.querySelector("[data-find] [type=search]");
  const dialog = document.getElementById("keys");

  const move = (by) => {
    const all = rows();
    const now = all.findIndex((one) => one === document.activeElement || one.closest("li").contains(document.activeElement));
    const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(now + by, 0), all.length - 1);
    if (!all[next]) return;
    all[next].focus({ preventScroll: true });
    all[next].closest("li").scrollIntoView({ block: "nearest" });
  };
  const keys = {
    "/": () => { field()?.focus(); field()?.select(); },
    "j": () => move(1),
    "k": () => move(-1),
    "?": () => dialog?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog?.open) return;
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing && typing === field() && event.key === "Escape") typing.blur();
    else if (typing && typing === field() && event.key === "ArrowDown") { event.preventDefault(); move(1); }
    else if (!typing && Object.hasOwn(keys, event.key)) { event.preventDefault(); keys[event.key](); }
  });
})();
