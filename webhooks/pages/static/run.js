// The head of a run or a build as it goes on: put there anew without taking the focus, a press or what was typed from anybody.
"use strict";
(() => {
  const head = document.getElementById("head");
  if (!head) return;
  let pressed = false, waiting = null;

  const same = (one) => {
    for (const name of ["id", "href", "data-copy"])
      if (one.hasAttribute(name)) return `[${name}="${CSS.escape(one.getAttribute(name))}"]`;
    return null;
  };
  const show = (html) => {
    const had = head.contains(document.activeElement) ? document.activeElement : null;
    const mark = had && same(had);
    const typed = [...head.querySelectorAll("input[id]")].map((one) => [one.id, one.value, one.selectionStart]);
    head.innerHTML = html;
    for (const [id, value, at] of typed) {
      const again = document.getElementById(id);
      if (!again) continue;
      again.value = value;
      again.setSelectionRange(at, at);
    }
    document.dispatchEvent(new Event("redrawn"));
    if (!had) return;
    const title = head.querySelector("h1");
    title.tabIndex = -1; // where the focus goes when what had it is there no more
    ((mark && head.querySelector(mark)) || title).focus({ preventScroll: true });
  };

  document.addEventListener("head", (event) => {
    if (pressed) waiting = event.detail;
    else show(event.detail);
  });
  const press = () => { pressed = true; };
  const release = () => setTimeout(() => { // the click comes after this
    pressed = false;
    if (waiting === null) return;
    show(waiting);
    waiting = null;
  });
  head.addEventListener("pointerdown", press);
  head.addEventListener("keydown", (event) => { if (event.key === " ") press(); });
  for (const name of ["pointerup", "pointercancel", "keyup"]) addEventListener(name, release);
})();
