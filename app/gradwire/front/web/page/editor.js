// The editor: a textarea, so that typing, undo and screen readers are the browser's own. Behind it lie two layers with
// the same text: one with the marks (lit line, underlined mistakes), one with the colours.

import { byId, make } from "./dom.js";
import { coloured } from "./python_colours.js";

const INDENT = "    ";

export class Editor {
  constructor({ changed, run }) {
    this.frame = byId("editor");
    this.field = byId("program");
    this.gutter = byId("gutter");
    this.colours = byId("colours");
    this.marks = byId("marks");
    this.drawn = [];
    this.mistakes = [];
    this.leaving = false;
    this.changed = changed;
    this.field.addEventListener("input", () => this.edited());
    this.field.addEventListener("keydown", (event) => this.key(event, run));
    this.draw();
  }

  get text() {
    return this.field.value;
  }

  // Begins with a text that cannot be undone.
  load(text) {
    this.field.value = text;
    this.mark([]);
    this.draw();
  }

  // Replaces the whole text, in a way that undo takes back.
  replace(text) {
    const before = document.activeElement;
    this.field.focus({ preventScroll: true });
    this.field.setSelectionRange(0, this.field.value.length);
    this.insert(text);
    this.field.setSelectionRange(0, 0);
    this.frame.scrollTo(0, 0);
    // The focus stays where it was: in the editor it would bring up the keyboard of a phone.
    before.focus({ preventScroll: true });
    this.edited();
  }

  insert(text) {
    const done = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
    if (!done) this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
  }

  edited() {
    this.mark([]);
    this.draw();
    this.changed();
  }

  key(event, run) {
    const leaving = this.leaving;
    this.leaving = event.key === "Escape";
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.insert(`\n${this.indentBelow()}`);
    } else if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      this.shift(event.shiftKey);
    }
  }

  // The indentation of the line after the cursor's: one step more after a colon.
  indentBelow() {
    const line = this.text.slice(0, this.field.selectionStart).split("\n").at(-1);
    return line.match(/^\s*/)[0] + (/:\s*(#.*)?$/.test(line) ? INDENT : "");
  }

  // Tab: all lines of a selection one step in or out; spaces at the cursor where nothing is selected.
  shift(out) {
    const { selectionStart: start, selectionEnd: end } = this.field;
    if (start === end && !out) {
      this.insert(INDENT);
      return;
    }
    const first = this.text.lastIndexOf("\n", start - 1) + 1;
    const block = this.text.slice(first, end);
    const moved = block.replace(out ? /^ {1,4}/gm : /^(?=.)/gm, out ? "" : INDENT);
    if (moved === block) return;
    this.field.setSelectionRange(first, end);
    this.insert(moved);
    this.field.setSelectionRange(start === end ? first + moved.length : first, first + moved.length);
  }

  // Lays out the lines anew that are not as they were.
  draw() {
    const lines = coloured(this.text);
    while (this.drawn.length > lines.length) {
      this.drawn.pop();
      for (const layer of [this.gutter, this.colours, this.marks]) layer.lastChild.remove();
    }
    lines.forEach((parts, place) => {
      if (place === this.drawn.length) {
        this.gutter.append(make("div", {}, String(place + 1)));
        this.colours.append(make("div"));
        this.marks.append(make("div"));
      }
      const key = JSON.stringify(parts);
      if (this.drawn[place] === key) return;
      this.drawn[place] = key;
      this.colours.children[place].replaceChildren(
        ...parts.map(([kind, text]) => (kind ? make("span", { class: `py-${kind}` }, text) : text)),
      );
    });
  }

  // Underlines where errors stand: {line, column, end_line, end_column}, from 1, ends exclusive; or a line alone.
  mark(errors) {
    for (const place of this.mistakes) {
      this.marks.children[place]?.replaceChildren();
      this.gutter.children[place]?.classList.remove("wrong");
    }
    this.mistakes = [];
    const lines = this.text.split("\n");
    for (const [place, ranges] of rangesByLine(errors, lines)) {
      this.mistakes.push(place);
      this.gutter.children[place].classList.add("wrong");
      this.marks.children[place].replaceChildren(...underlined(lines[place], ranges));
    }
    this.field.setAttribute("aria-invalid", String(errors.length > 0));
  }

  // Lights up one line (from 1), or none.
  light(line) {
    for (const layer of [this.marks, this.gutter]) {
      layer.querySelector(".lit")?.classList.remove("lit");
      if (line) layer.children[line - 1]?.classList.add("lit");
    }
    if (line) this.reveal(line);
  }

  // Scrolls the editor, and nothing else, so that a line can be seen.
  reveal(line) {
    const mark = this.marks.children[line - 1];
    if (!mark) return;
    const over = mark.offsetTop - this.frame.scrollTop;
    if (over < 0 || over + mark.offsetHeight > this.frame.clientHeight) {
      this.frame.scrollTop = mark.offsetTop - this.frame.clientHeight / 2;
    }
  }

  // Puts the cursor at a line and column, both from 1, columns in characters.
  goTo(line, column = 1) {
    const lines = this.text.split("\n");
    const before = lines.slice(0, line - 1).reduce((length, text) => length + text.length + 1, 0);
    const at = before + units(lines[line - 1] ?? "", column);
    this.field.focus();
    this.field.setSelectionRange(at, at);
    this.reveal(line);
  }
}

// A column in characters (from 1) as an index of UTF-16 units.
function units(line, column) {
  return [...line].slice(0, column - 1).join("").length;
}

// [index of a line, [[start, end], …]] for all lines that errors touch.
function rangesByLine(errors, lines) {
  const found = new Map();
  for (const error of errors) {
    const last = Math.min(error.end_line ?? error.line, lines.length);
    for (let line = error.line; line <= last; line += 1) {
      const text = lines[line - 1];
      const start = line === error.line && error.column ? units(text, error.column) : text.search(/\S|$/);
      const end = line === error.end_line && error.end_column ? units(text, error.end_column) : text.length;
      if (!found.has(line - 1)) found.set(line - 1, []);
      found.get(line - 1).push([start, Math.max(end, start + 1)]);
    }
  }
  return found;
}

function underlined(line, ranges) {
  const parts = [];
  let end = 0;
  for (const [start, stop] of ranges.sort((a, b) => a[0] - b[0])) {
    if (start < end) continue;
    parts.push(line.slice(end, start), make("span", { class: "mistake" }, line.slice(start, stop) || " "));
    end = stop;
  }
  return parts;
}
