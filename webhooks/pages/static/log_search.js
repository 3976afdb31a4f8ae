// Matches in the whole log, told by the server as it finds them. Without this file the form opens a page of them.
"use strict";
(() => {
  const shown = window.errandLog;
  if (!shown) return;
  const $ = (id) => document.getElementById(id);
  const form = $("find"), words = $("found"), next = $("next"), previous = $("previous");
  let matches = [], at = -1, asked = "", end = null, reading = null;

  const question = () => new URLSearchParams(new FormData(form)).toString();
  const say = () => {
    const many = `${matches.length.toLocaleString("en")}${end && !end.why ? "" : "+"}`;
    words.textContent = !asked ? "" : matches.length ? `${at + 1} of ${many}` : end && !end.why ? "No match" : "…";
    next.disabled = previous.disabled = !matches.length;
  };
  const mark = (match) => {
    for (const one of shown.lines.querySelectorAll(".hit")) one.classList.remove("hit");
    const row = $(`L${match.line}`);
    if (!row) return;
    row.classList.add("hit");
    if (!window.Highlight) return;
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT), ranges = [];
    const hit = match.hit.toLowerCase();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data.toLowerCase();
      for (let from = text.indexOf(hit); from >= 0 && text.length === node.data.length; from = text.indexOf(hit, from + hit.length)) {
        const range = new Range();
        range.setStart(node, from);
        range.setEnd(node, from + hit.length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  };
  const go = async (to) => {
    at = to;
    say();
    const match = matches[at];
    await shown.show(match.line, match.line, { link: false });
    if (match === matches[at]) mark(match);
  };
  const read = async (after) => {
    reading?.abort();
    const stop = reading = new AbortController();
    const decoder = new TextDecoder();
    let left = "";
    try {
      const answer = await fetch(`${form.action}?${asked}${after ? `&after=${after}` : ""}`,
        { headers: { Accept: "application/x-ndjson" }, signal: stop.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      const body = answer.body.getReader();
      for (let part = await body.read(); !part.done; part = await body.read()) {
        const rows = (left + decoder.decode(part.value, { stream: true })).split("\n");
        left = rows.pop();
        for (const each of rows.map((row) => JSON.parse(row)))
          if (each.kind === "match") matches.push(each); else end = each;
        if (at < 0 && matches.length) go(0); else say();
      }
      if (!end) throw new Error("cut off");
      say();
    } catch (error) {
      if (error.name !== "AbortError") words.textContent = "Not found out. Try again.";
    }
  };
  const move = async (by) => {
    const to = at + by;
    if (to >= matches.length && end?.why) {
      const after = end.line - 1;
      end = null;
      await read(after);
      if (to < matches.length) go(to);
    } else if (matches.length) go((to + matches.length) % matches.length);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (question() === asked && matches.length) { move(1); return; }
    matches = []; at = -1; end = null;
    asked = $("find-text").value ? question() : "";
    CSS.highlights?.delete("found");
    say();
    if (asked) read(0);
  });
  next.addEventListener("click", () => move(1));
  previous.addEventListener("click", () => move(-1));
})();
