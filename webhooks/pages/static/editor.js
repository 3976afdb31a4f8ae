// Where the cursor is in a definition says which keys are listed. Without this file all of them are.
"use strict";
(() => {
  const text = document.querySelector("#definition");
  const keys = [...document.querySelectorAll("[data-key]")].map((row) => ({ row, path: row.dataset.key.split(".") }));
  if (!text || !keys.length) return;

  const indent = (line) => line.length - line.trimStart().length;

  // The keys above the cursor's line, outermost first, and what is typed of a key in it.
  const place = () => {
    const lines = text.value.slice(0, text.selectionStart).split("\n");
    const typed = lines.pop();
    let depth = indent(typed);
    const above = [];
    for (const line of lines.reverse()) {
      const key = /^(\s*)([^\s#:-][^:]*):/.exec(line);
      if (key && key[1].length < depth) { above.unshift(key[2].trim()); depth = key[1].length; }
    }
    return { above, typed: typed.includes(":") ? "" : typed.trim() };
  };

  const inside = (path, above) => path.length === above.length + 1 && above.every((name, at) => path[at] === name || path[at] === "NAME");

  const follow = () => {
    const { above, typed } = place();
    const here = keys.filter(({ path }) => path.at(-1) !== "NAME" && inside(path, above));
    const fitting = here.filter(({ path }) => path.at(-1).startsWith(typed));
    const shown = new Set(fitting.length ? fitting : here.length ? here : keys);
    for (const each of keys) each.row.hidden = !shown.has(each);
  };

  const insert = (name) => {
    const start = text.value.lastIndexOf("\n", text.selectionStart - 1) + 1;
    const { typed } = place();
    const line = text.value.slice(start, text.selectionStart);
    text.focus();
    if (line.includes(":")) text.setRangeText(`\n${" ".repeat(indent(line))}${name}: `, text.selectionStart, text.selectionStart, "end");
    else text.setRangeText(`${name}: `, text.selectionStart - typed.length, text.selectionStart, "end");
    follow();
  };

  for (const { row, path } of keys) {
    if (path.at(-1) === "NAME") continue;
    const button = document.createElement("button");
    button.type = "button";
    const code = row.querySelector("code");
    code.replaceWith(button);
    button.append(code);
    button.addEventListener("click", () => insert(path.at(-1)));
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
