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
    const [key, ...value] = typed.trim().replace(/^- /, "").split(":");
    return { above, typed: key, valued: value.length > 0 };
  };

  const inside = (path, above) => path.length === above.length + 1 && above.every((name, at) => path[at] === name || path[at] === "NAME");

  const follow = () => {
    const { above, typed, valued } = place();
    const here = keys.filter(({ path }) => inside(path, above));
    const fitting = here.filter(({ path }) => valued ? path.at(-1) === typed : path.at(-1).startsWith(typed));
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

  // A value goes behind the key of the cursor's line if that is its own, and with its key below that otherwise.
  const choose = (name, value) => {
    const { typed, valued } = place();
    if (!valued || typed !== name) insert(name);
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
  for (const { row, path } of keys) {
    press(row.querySelector("dt code"), () => insert(path.at(-1)));
    for (const value of row.querySelectorAll(".values code")) press(value, () => choose(path.at(-1), value.textContent));
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
