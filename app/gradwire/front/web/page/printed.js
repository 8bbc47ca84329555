// What the program printed, each row with the line that printed it.

import { make, plural, whilePointedAt } from "./dom.js";

// So much is shown; the reply may hold a million characters.
const LONGEST = 100000;

// Rows of {line, text}: entries that end without a newline go on in the same row.
export function rowsOf(entries) {
  const rows = [];
  let open = false;
  for (const { line, text, end = "\n" } of entries) {
    if (open) rows.at(-1).text += text;
    else rows.push({ line, text });
    open = !end.endsWith("\n");
    rows.at(-1).text += open ? end : end.slice(0, -1);
  }
  return rows;
}

// The list of rows; `light(line)` is called as one is pointed at, `goTo(line)` as its number is pressed.
export function printed(entries, lines) {
  const rows = rowsOf(entries);
  const list = make("ol", { class: "printed", role: "list" });
  let length = 0;
  for (const { line, text } of rows) {
    if (length > LONGEST) break;
    length += text.length + 1;
    list.append(row(line, text, lines));
  }
  const rest = rows.length - list.children.length;
  return [list, rest > 0 && make("p", { class: "note" }, `${plural(rest, "more row")} not shown`)].filter(Boolean);
}

function row(line, text, { light, goTo }) {
  const facts = { type: "button", class: "line-link", "aria-label": `line ${line}`, title: `printed by line ${line}` };
  const link = line ? make("button", { ...facts, onclick: () => goTo(line) }, String(line)) : make("span");
  const item = make("li", {}, link, make("pre", {}, cut(text)));
  return whilePointedAt(
    item,
    () => light(line),
    () => light(null),
  );
}

function cut(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}\n… (${text.length} characters in all)` : text;
}
