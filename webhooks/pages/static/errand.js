// The log as it is written, the clock that ticks, and buttons. Without this file every page still shows all it has.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("has-js");
  const $ = (id) => document.getElementById(id);
  const skew = Date.now() / 1000 - Number(document.body.dataset.now);
  const MOST_LINES = 20000, MOST_HTML = 8e6;

  // As bot/text/vocabulary.py writes durations, in whole seconds: the two largest units.
  const units = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const duration = (s) => {
    const at = units.findIndex(([size]) => s >= size || size === 1);
    const [[size, name], [smaller, smallerName] = [1, ""]] = units.slice(at);
    const rest = Math.floor(s % size / smaller);
    return `${Math.floor(s / size)}${name}${rest ? ` ${rest}${smallerName}` : ""}`;
  };
  const size = (n) => n < 1024 ? `${n} B` : n < 1048576 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1048576).toFixed(1)} MiB`;

  const tick = () => {
    for (const one of document.querySelectorAll("[data-since]"))
      one.textContent = duration(Math.max(0, Math.floor(Date.now() / 1000 - skew - Number(one.dataset.since))));
  };
  const clocks = () => {
    for (const one of document.querySelectorAll("time")) one.title = new Date(one.dateTime).toLocaleString();
  };
  clocks();
  tick();
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
        const answer = await fetch(location.href);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const main = page.querySelector("[data-follow]");
        const kept = document.activeElement && document.activeElement.getAttribute("href");
        if (answer.ok && main) {
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

  const log = $("log");
  if (!log) return;
  const lines = $("lines"), follow = $("follow"), wrap = $("wrap"), live = $("live");

  lines.addEventListener("click", (event) => { // the number is drawn left of the line's text
    if (event.target.parentNode === lines && event.offsetX < 60) location.hash = event.target.id;
  });
  wrap.addEventListener("click", () => {
    wrap.setAttribute("aria-pressed", String(!lines.classList.toggle("long")));
  });

  const url = log.dataset.events;
  if (!url) return;

  let following = !location.hash, jumped = false;
  const atEnd = () => innerHeight + scrollY >= root.scrollHeight - 40;
  const setFollow = (on) => { following = on; follow.setAttribute("aria-pressed", String(on)); };
  const toEnd = () => { jumped = true; scrollTo(0, root.scrollHeight); };
  setFollow(following);
  follow.addEventListener("click", () => { setFollow(!following); if (following) toEnd(); });
  let before = scrollY;
  addEventListener("scroll", () => {
    if (!jumped && scrollY < before && !atEnd()) setFollow(false);
    before = scrollY;
    jumped = false;
  }, { passive: true });

  // The line that is still open is the last one in the list; it is put there anew with every event.
  const last = lines.lastElementChild;
  let open = last && last.id === `L${log.dataset.cursor.split(":")[1]}` ? last : null;
  let done = "", rest = null, bytes = 0, drawing = false, pause = 0;
  const html = (text) => { const box = document.createElement("template"); box.innerHTML = text; return box.content; };
  const draw = () => {
    drawing = false;
    const began = performance.now();
    if (done.length > MOST_HTML) done = done.slice(done.indexOf("<div id=", done.length - MOST_HTML));
    if (open) open.remove();
    if (done) lines.append(html(done));
    open = null;
    if (rest) { lines.append(html(rest)); open = lines.lastElementChild; }
    done = "";
    if ($("empty") && lines.firstElementChild) $("empty").remove();
    for (let extra = lines.childElementCount - MOST_LINES; extra > 0; extra--) lines.firstElementChild.remove();
    $("size").textContent = size(bytes);
    if (following) toEnd();
    pause = 2 * (performance.now() - began); // many lines are drawn seldom, so that the page stays quick
  };

  let cursor = log.dataset.cursor, wait = 2000, source;
  let ended = ["", ""];
  const show = (word, kind) => { live.hidden = !word; live.className = `live js ${kind}`; live.lastElementChild.textContent = word; };
  const connect = () => {
    source = new EventSource(`${url}${url.includes("?") ? "&" : "?"}from=${encodeURIComponent(cursor)}`);
    source.onopen = () => { wait = 2000; show("live", "on"); };
    source.addEventListener("log", (event) => {
      const data = JSON.parse(event.data);
      cursor = event.lastEventId;
      done += data.done;
      rest = data.open;
      bytes = data.size;
      if (drawing) return;
      drawing = true;
      // No frames are drawn of a hidden page, and what came would pile up.
      setTimeout(() => { if (document.hidden) draw(); else requestAnimationFrame(draw); }, pause);
    });
    source.addEventListener("state", (event) => {
      const data = JSON.parse(event.data);
      if (log.dataset.attempt && data.attempt > Number(log.dataset.attempt)) { // its log is another one
        location.reload();
        return;
      }
      $("head").innerHTML = data.head;
      document.title = data.title;
      ended = [data.word, data.kind];
      clocks();
      tick();
    });
    source.addEventListener("end", () => {
      source.close();
      show(...ended);
      follow.remove();
      if ($("empty")) $("empty").textContent = "Nothing was written.";
    });
    source.onerror = () => {
      show("reconnecting", "lost on");
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, 60000);
    };
  };
  connect();
})();
