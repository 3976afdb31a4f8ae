// The lines that a page shows: windows of them, links to a line or a range, folds, copying, keys.
// Without this file the same is done by links and forms. Gives `window.errandLog` to log.js and log_search.js.
"use strict";
window.errandLog = (() => {
  const $ = (id) => document.getElementById(id);
  const log = $("log");
  if (!log) return null;
  const lines = $("lines"), wrap = $("wrap"), copy = $("copy");
  const MOST_LINES = 5000; // in the page at once
  const page = log.dataset.page.replace(/line=0$/, "");
  const ERROR = /\b(?:error|fatal|panic|traceback|exception|failed|failure)\b/i;
  let whole = Boolean(log.dataset.whole), group = null, anchor = 0, end = 0, loading = false;

  const rows = () => lines.querySelectorAll("[data-n]");
  const number = (row) => row ? Number(row.dataset.n) : 0;
  const first = () => number(lines.querySelector("[data-n]"));
  const last = () => { const all = rows(); return number(all[all.length - 1]); };
  const row = (n) => { const found = $(`L${n}`); return found && lines.contains(found) ? found : null; };
  const count = (n) => n.toLocaleString("en");

  const ways = () => {
    const earlier = $("earlier"), later = $("later");
    lines.classList.toggle("deep", last() >= 100000);
    earlier.hidden = first() <= 1;
    earlier.firstElementChild.href = `${page}before=${first()}`;
    later.hidden = whole;
    later.firstElementChild.href = `${page}after=${last()}`;
    $("range").textContent = `Lines ${count(first())} to ${count(last())}`;
  };
  const trim = (side) => {
    let extra = rows().length - MOST_LINES;
    while (extra > 0) {
      const one = side === "start" ? lines.firstElementChild : lines.lastElementChild;
      extra -= one.matches("details") ? one.childElementCount : 1;
      if (one === group) group = null;
      one.remove();
      if (side === "end") whole = false;
    }
  };

  // Groups as GitHub Actions writes them; the server folds the same way (folds.py).
  const settle = () => {
    if (group && !group.querySelector(".marked") && !ERROR.test([...group.children].slice(1).map((one) => one.textContent).join("\n"))) group.open = false;
    group = null;
  };
  // When lines were kept, by the clocks of whoever reads; the page says it in UTC.
  const two = (n) => String(n).padStart(2, "0");
  const localize = (content) => {
    for (const one of content.querySelectorAll("[data-at]")) {
      const at = new Date(`${one.dataset.day}T${one.dataset.at}Z`);
      one.dataset.day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
      one.dataset.at = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${one.dataset.at.slice(8)}`;
    }
    if (log.dataset.times && content.querySelector("[data-at]")) lines.classList.add("timed");
  };
  localize(lines);
  const begin = (line) => {
    const summary = document.createElement("summary");
    for (const { name, value } of line.attributes) summary.setAttribute(name, value);
    summary.append(...line.childNodes);
    const text = document.createTreeWalker(summary, NodeFilter.SHOW_TEXT).nextNode();
    text.data = text.data.replace(/^(?:::|##\[)group(?:::|\])/, "");
    if (!summary.textContent.trim()) summary.prepend("group");
    settle();
    group = document.createElement("details");
    group.className = "fold";
    group.open = true;
    group.append(summary);
    lines.append(group);
  };
  const append = (content) => {
    localize(content);
    if (!group && !content.querySelector(".group")) { lines.append(content); return; }
    for (const line of [...content.children]) {
      if (line.classList.contains("group")) { begin(line); continue; }
      (group || lines).append(line);
      if (line.classList.contains("endgroup")) settle();
    }
  };
  const appendOpen = (content) => { localize(content); const line = content.firstElementChild; (group || lines).append(line); return line; };
  const resume = () => {
    const one = lines.lastElementChild;
    group = one && one.matches("details") && !one.querySelector(".endgroup") ? one : null;
  };
  resume();

  const choose = (from, to, { link = true, scroll = true } = {}) => {
    anchor = from; end = to;
    const [low, high] = from < to ? [from, to] : [to, from];
    for (const one of lines.querySelectorAll(".marked")) one.classList.remove("marked");
    for (let n = Math.max(low, first()); n <= Math.min(high, last()); n++) row(n)?.classList.add("marked");
    if (link) history.replaceState(null, "", low === high ? `#L${low}` : `#L${low}-L${high}`);
    const shown = row(end);
    if (!shown) return;
    const fold = shown.closest("details");
    if (fold && !shown.matches("summary")) fold.open = true;
    if (scroll) shown.scrollIntoView({ block: scroll === "near" ? "nearest" : "center" });
  };
  const take = async (query) => {
    const answer = await fetch(page + query);
    if (!answer.ok) throw new Error(String(answer.status));
    const other = new DOMParser().parseFromString(await answer.text(), "text/html");
    const content = document.createDocumentFragment();
    content.append(...other.getElementById("lines").children);
    localize(content);
    return { content, whole: Boolean(other.getElementById("log").dataset.whole) };
  };
  // Shows the line: there is a window around it where it is not in the page.
  const show = async (n, upto = n, options = {}) => {
    if (!row(n) && !(whole && n > last())) {
      try {
        const window_ = await take(`line=${n}`);
        lines.replaceChildren(window_.content);
        whole = window_.whole && !log.dataset.events; // of a log that goes on, only what follows by itself is its end
        resume();
        ways();
      } catch {
        location.assign(`${page}line=${n}#L${n}`);
        return;
      }
    }
    choose(n, upto, options);
  };
  const more = async (side) => {
    if (loading) return;
    loading = true;
    try {
      const window_ = await take(side === "start" ? `before=${first()}` : `after=${last()}`);
      if (side === "start") {
        const height = document.documentElement.scrollHeight;
        lines.prepend(window_.content);
        trim("end");
        scrollBy(0, document.documentElement.scrollHeight - height);
      } else {
        if (number(window_.content.querySelector("[data-n]")) <= last()) throw new Error("nothing follows yet");
        lines.append(window_.content);
        whole = window_.whole && !log.dataset.events;
        const height = document.documentElement.scrollHeight;
        trim("start");
        scrollBy(0, document.documentElement.scrollHeight - height);
      }
      resume();
      ways();
    } catch { location.assign($(side === "start" ? "earlier" : "later").firstElementChild.href); }
    loading = false;
  };
  $("earlier").firstElementChild.addEventListener("click", (event) => { event.preventDefault(); more("start"); });
  $("later").firstElementChild.addEventListener("click", (event) => { event.preventDefault(); more("end"); });
  $("go").addEventListener("submit", (event) => {
    event.preventDefault();
    const n = Number(event.target.elements.line.value);
    if (n) show(n);
  });

  const follow = () => {
    const found = /^#L([1-9]\d{0,14})(?:-L?([1-9]\d{0,14}))?$/.exec(location.hash);
    if (found) show(Number(found[1]), Number(found[2] || found[1]), { link: false });
  };
  addEventListener("hashchange", follow);
  follow();

  lines.addEventListener("click", (event) => { // the number is drawn left of the line's text
    const line = event.target;
    if (!line.matches("[data-n]") || event.offsetX > parseFloat(getComputedStyle(line).paddingLeft) - 14) return;
    event.preventDefault();
    const n = number(line);
    choose(event.shiftKey && anchor ? anchor : n, n, { scroll: false });
  });
  wrap.addEventListener("click", () => { wrap.setAttribute("aria-pressed", String(!lines.classList.toggle("long"))); });
  copy.addEventListener("click", async () => {
    const marked = lines.querySelectorAll(".marked");
    const text = [...(marked.length ? marked : rows())].map((one) => (one.matches("summary") ? "::group::" : "") + one.textContent).join("");
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = `Copied ${count(marked.length || rows().length)}`;
    } catch { // only secure pages may write to the clipboard: mark it for the visitor's own copy
      if (marked.length) getSelection().setBaseAndExtent(marked[0], 0, marked[marked.length - 1], marked[marked.length - 1].childNodes.length);
      else getSelection().selectAllChildren(lines);
      copy.textContent = "Marked";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });

  const times = $("times");
  times.addEventListener("click", (event) => { // to the lines that are seen now, or to the end
    if (event.ctrlKey || event.metaKey || event.shiftKey || scrollY < lines.offsetTop) return;
    event.preventDefault();
    const link = new URL(times.href), top = log.querySelector(".bar").getBoundingClientRect().bottom;
    for (const name of ["line", "before", "after"]) link.searchParams.delete(name);
    link.hash = "end";
    if (!whole || innerHeight + scrollY < document.documentElement.scrollHeight - 40) {
      const n = number([...rows()].find((one) => one.getBoundingClientRect().bottom > top));
      link.searchParams.set("line", n);
      link.hash = anchor ? location.hash : `L${n}`;
    }
    location.assign(link);
  });

  const toEnd = async () => {
    if (!whole) {
      const end_ = $("later").lastElementChild.href;
      try {
        if (log.dataset.events) throw new Error("another page follows it");
        const window_ = await take("");
        lines.replaceChildren(window_.content);
        whole = window_.whole;
        resume();
        ways();
      } catch {
        if (end_.split("#")[0] !== location.href.split("#")[0]) location.assign(end_);
        else { history.replaceState(null, "", "#end"); location.reload(); }
        return;
      }
    }
    scrollTo(0, document.documentElement.scrollHeight);
  };
  $("later").lastElementChild.addEventListener("click", (event) => { event.preventDefault(); toEnd(); });
  const step = (by, extend) => {
    const from = end || (by > 0 ? first() - 1 : last() + 1), to = Math.min(Math.max(from + by, first()), last());
    choose(extend && anchor ? anchor : to, to, { scroll: "near" });
  };
  const dialog = $("keys"), help = () => dialog.showModal();
  $("log-keys").addEventListener("click", help);
  const keys = {
    "?": help,
    n: () => $("next").click(), N: () => $("previous").click(), "/": () => $("find-text").focus(),
    g: () => show(1, 1), G: toEnd, e: () => $("first-error").click(), w: () => wrap.click(), t: () => times.click(), c: () => copy.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.open || event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.target === lines && (event.key === "ArrowDown" || event.key === "ArrowUp")) step(event.key === "ArrowDown" ? 1 : -1, event.shiftKey);
    else if (Object.hasOwn(keys, event.key)) keys[event.key]();
    else return;
    event.preventDefault();
  });
  return { append, appendOpen, trim, ways, show, toEnd, lines, isWhole: () => whole, isLinked: () => Boolean(anchor) };
})();
