// A small matrix as a table with a heat tint: blue above zero, amber below, stronger the farther away.

import { make } from "./dom.js";
import { asNumber } from "./numbers.js";

// `cell(element)` gives {text, title, number}; `more` and `below` say that columns and rows were left out.
export function grid(rows, cell, { label, rows: numbered, more = false, below = false }) {
  const cells = rows.map((row) => row.map(cell));
  const largest = Math.max(
    0,
    ...cells
      .flat()
      .map(({ number }) => size(number))
      .filter(Number.isFinite),
  );
  const columns = cells[0].length;
  const head = make(
    "tr",
    {},
    numbered && make("td"),
    cells[0].map((_, place) => make("th", { scope: "col" }, String(place))),
    more && make("th", {}, "…"),
  );
  const lines = cells.map((row, place) =>
    make(
      "tr",
      {},
      numbered && make("th", { scope: "row" }, String(place)),
      row.map((it) => tinted(it, largest)),
      more && make("td", { class: "cut" }, "…"),
    ),
  );
  const last =
    below &&
    make(
      "tr",
      {},
      make("th", {}, "…"),
      Array.from({ length: columns + Number(more) }, () => make("td", { class: "cut" }, "…")),
    );
  const table = make(
    "table",
    { class: "grid" },
    make("caption", { class: "unseen" }, label),
    make("thead", {}, head),
    make("tbody", {}, lines, last),
  );
  return make(
    "div",
    {
      class: "scroll",
      tabindex: columns > 6 ? 0 : null,
      role: columns > 6 ? "region" : null,
      "aria-label": columns > 6 ? label : null,
    },
    table,
  );
}

const size = (number) => Math.abs(asNumber(typeof number === "boolean" ? Number(number) : number) ?? 0);

function tinted({ text, title, number }, largest) {
  const made = make("td", { title: title === text ? null : title }, text);
  const value = asNumber(typeof number === "boolean" ? Number(number) : number);
  if (value === null) return made;
  if (!Number.isFinite(value)) made.classList.add("odd");
  else if (value !== 0) {
    made.classList.add(value > 0 ? "above" : "below");
    made.style.setProperty("--heat", `${Math.round((Math.abs(value) / largest) * 100)}%`);
  }
  return made;
}
