// The log as it is written. Without this file the page shows what there is when it is asked for.
"use strict";
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const MOST_HTML = 8e6;
  const size = (n) => n < 1024 ? `${n} B` : n < 1048576 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1048576).toFixed(1)} MiB`;

  const shown = window.errandLog;
  if (!shown) return;
  const log = $("log"), lines = $("lines"), follow = $("follow"), live = $("live");
  const url = log.dataset.events;
  if (!url) return;

  let following = ["", "#end"].includes(location.hash) && shown.isWhole(), jumped = false;
  const atEnd = () => innerHeight + scrollY >= root.scrollHeight - 40;
  const setFollow = (on) => { following = on; follow.setAttribute("aria-pressed", String(on)); };
  const toEnd = () => { jumped = true; scrollTo(0, root.scrollHeight); };
  setFollow(following);
  follow.addEventListener("click", () => {
    if (!shown.isWhole()) { shown.toEnd(); return; } // the page of the end follows
    setFollow(!following);
    if (following) toEnd();
  });
  let before = scrollY;
  addEventListener("scroll", () => {
    if (!jumped && scrollY < before && !atEnd()) setFollow(false);
    before = scrollY;
    jumped = false;
  }, { passive: true });

  // The line that is still open is the last one in the list; it is put there anew with every event.
  let open = shown.isWhole() ? $(`L${log.dataset.cursor.split(":")[1]}`) : null;
  let done = "", rest = null, bytes = 0, drawing = false, pause = 0;
  const html = (text) => { const box = document.createElement("template"); box.innerHTML = text; return box.content; };
  const draw = () => {
    drawing = false;
    const began = performance.now();
    if (done.length > MOST_HTML) done = done.slice(done.indexOf("<div id=", done.length - MOST_HTML));
    if (shown.isWhole()) {
      if (open) open.remove();
      if (done) shown.append(html(done));
      open = rest ? shown.appendOpen(html(rest)) : null;
      if ($("empty") && lines.firstElementChild) $("empty").remove();
      shown.trim("start");
      shown.ways();
    } else if (following) setFollow(false);
    done = "";
    $("size").textContent = size(bytes);
    if (following && shown.isWhole()) toEnd();
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
      document.dispatchEvent(new CustomEvent("head", { detail: data.head }));
      document.title = data.title;
      ended = [data.word, data.kind];
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
