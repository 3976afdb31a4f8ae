// Where the cursor is in a definition says which keys are listed. Without this file all of them are.
"use strict";
(() => {
  const text = document.querySelector("#definition");
  const keys = [...document.querySelectorAll("[data-key]")]
    .map((row) => ({ row, path: row.dataset.key.split("."), list: "list" in row.dataset, entry: "entry" in row.dataset }));
  if (!text || !keys.length) return;

  const indent = (line) => line.length - line.trimStart().length;

  // The keys above the cursor's line, outermost first, and what is typed of a key in it: in a list `dashed` where an
  // entry begins there, `within` where one goes on.
  const place = () => {
    const lines = text.value.slice(0, text.selectionStart).split("\n");
    const typed = lines.pop(), dashed = /^\s*-(?: |$)/.test(typed);
    let depth = indent(typed) + (dashed ? 1 : 0), within = false;
    const above = [];
    for (const line of lines.reverse()) {
      const key = /^(\s*(?:- +)?)([^\s#:-][^:]*):/.exec(line);
      if (!key) continue;
      if (!above.length && key[1].length === depth && key[1].includes("-")) within = true;
      if (key[1].length < depth) { above.unshift(key[2].trim()); depth = key[1].length; }
    }
    const [key, ...value] = typed.trim().replace(/^-(?: +|$)/, "").split(":");
    return { above, typed: key, valued: value.length > 0, dashed, within };
  };

  const same = (path, other) => path.length === other.length && path.every((name, at) => name === other[at] || name === "NAME");
  const inside = (path, above) => path.length === above.length + 1 && above.every((name, at) => path[at] === name || path[at] === "NAME");

  const follow = () => {
    const { above, typed, valued } = place();
    const here = keys.filter(({ path }) => inside(path, above));
    const fitting = here.filter(({ path }) => valued ? path.at(-1) === typed : path.at(-1).startsWith(typed));
    const list = keys.filter((each) => each.list && !valued && same(each.path, above)); // whose entry it is
    const offered = [...(fitting.length ? fitting : here), ...list], shown = new Set(offered.length ? offered : keys);
    for (const each of keys) each.row.hidden = !shown.has(each);
  };

  const insert = (name, entry) => {
    const start = text.value.lastIndexOf("\n", text.selectionStart - 1) + 1;
    const { typed, dashed, within } = place();
    const line = text.value.slice(start, text.selectionStart), lead = /^\s*(?:- +)?/.exec(line)[0].length;
    const begun = line.endsWith("-") ? " " : entry && !dashed && !within ? "- " : "";
    text.focus();
    if (line.includes(":")) text.setRangeText(`\n${" ".repeat(lead)}${name}: `, text.selectionStart, text.selectionStart, "end");
    else text.setRangeText(`${begun}${name}: `, text.selectionStart - typed.length, text.selectionStart, "end");
    follow();
  };

  // A value goes behind the key of the cursor's line if that is its own, and with its key below that otherwise.
  const choose = (name, value, { list, entry }) => {
    const { above, typed, valued, dashed } = place();
    if (list && !valued && above.at(-1) === name) {
      text.focus();
      text.setRangeText(`${dashed ? "" : "- "}${value}`, text.selectionStart - typed.length, text.selectionStart, "end");
      follow();
      return;
    }
    if (!valued || typed !== name) insert(name, entry);
    if (list) {
      const from = text.value.lastIndexOf("\n", text.selectionStart - 1) + 1, behind = (text.value + "\n").indexOf("\n", from);
      const lead = /^\s*(?:- +)?/.exec(text.value.slice(from))[0].length;
      text.focus();
      text.setRangeText(`${text.value.slice(from, behind).trimEnd()}\n${" ".repeat(lead + 2)}- ${value}`, from, behind, "end");
      follow();
      return;
    }
    const at = text.selectionStart;
    const start = text.value.lastIndexOf("\n", at - 1) + 1;
    const end = (text.value + "\n").indexOf("\n", at);
    text.focus();
    text.setRangeText(` ${value}`, text.value.indexOf(":", start) + 1, end, "end");
    follow();
  };

  const press = (code, action) => {
    const button = document.createElement("button");
    button.type = "button";
    code.replaceWith(button);
    button.append(code);
    button.addEventListener("click", action);
  };
  for (const each of keys) {
    const { row, path } = each;
    press(row.querySelector("dt code"), () => insert(path.at(-1), each.entry));
    for (const value of row.querySelectorAll(".values code")) press(value, () => choose(path.at(-1), value.textContent, each));
  }
  for (const name of ["input", "click", "keyup", "focus"]) text.addEventListener(name, follow);

  document.addEventListener("click", (event) => { // a mistake leads to its place
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    const before = text.value.split("\n").slice(0, link.dataset.line - 1).join("\n").length;
    const at = before + (link.dataset.line > 1 ? 1 : 0) + Number(link.dataset.column) - 1;
    text.focus();
    text.setSelectionRange(at, at);
    follow();
  });
})();
