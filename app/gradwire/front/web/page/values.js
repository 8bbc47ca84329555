// Values of a reply: dtype, shape and grad_fn in a line, numbers below it.

import { make, plural } from "./dom.js";
import { exact, short, statistics } from "./numbers.js";
import { grid } from "./grid.js";

// Up to so many columns, rows and slices are laid out; of what is larger, a corner and its statistics.
const ROW = 12;
const CORNER = 8;
const SLICES = 4;
const ITEMS = 20;
// Lists whose text is longer than this are shown folded.
const OPEN_LENGTH = 600;

// A card for a named value; `name` may be left out.
export function card(name, value) {
  return make(
    "article",
    { class: "value", "data-name": name },
    make("header", {}, name && make("h3", {}, name), facts(value)),
    body(value, name ?? "value"),
  );
}

// Kind, dtype, shape and what autograd knows of it.
function facts(value) {
  if (value.kind !== "tensor" && value.kind !== "ndarray") return make("span", { class: "dtype" }, kindOf(value));
  const chips = [
    make("span", { class: "dtype" }, value.dtype),
    make("span", { class: "shape" }, `[${value.shape.join(", ")}]`),
  ];
  if (value.kind === "ndarray") chips.unshift(make("span", { class: "dtype" }, "ndarray"));
  if (value.grad_fn) chips.push(make("span", { class: "grad-fn" }, value.grad_fn));
  else if (value.requires_grad) chips.push(make("span", { class: "grad-fn" }, "requires_grad"));
  if (value.device && value.device !== "cpu") chips.push(make("span", { class: "dtype" }, value.device));
  return chips;
}

function kindOf(value) {
  const count = value.length ?? (value.items && Object.keys(value.items).length);
  const kind = value.type?.replace("torch.return_types.", "") ?? value.kind;
  return count === undefined ? kind : `${kind} of ${count.toLocaleString("en")}`;
}

function body(value, label) {
  if (value.note) return [make("p", { class: "note" }, value.note), bare(value, label)];
  return bare(value, label);
}

function bare(value, label) {
  if (value.summary) return summary(value.summary, value.dtype);
  if (!("data" in value || "items" in value || "value" in value)) return null;
  if (value.kind === "tensor" || value.kind === "ndarray") return tensor(value, label);
  if (value.items) return numbers(value, label) ?? collection(value);
  const text = value.kind === "none" ? "None" : value.kind === "string" ? JSON.stringify(value.value) : written(value);
  return make("p", { class: "scalar" }, text);
}

function written({ kind, value }) {
  if (kind === "bool") return value ? "True" : "False";
  if (kind === "complex") return complex(value, "complex128");
  if (kind === "float") return exact(value, "float64");
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}

// A list or tuple of numbers as a vector; null where it is something else.
function numbers({ items }, label) {
  if (!Array.isArray(items) || items.length === 0) return null;
  if (!items.every(({ kind }) => kind === "float" || kind === "int")) return null;
  const dtype = items.some(({ kind }) => kind === "float") ? "float64" : "int64";
  return vector(
    items.map((item) => item.value),
    dtype,
    label,
  );
}

function collection(value) {
  const names =
    value.names ??
    (Array.isArray(value.items) ? value.items.map((_, place) => String(place)) : Object.keys(value.items));
  const items = Object.values(value.items);
  const shown = items.slice(0, ITEMS).map((item, place) => card(names[place], item));
  const rest = items.length > ITEMS && make("p", { class: "note" }, `and ${plural(items.length - ITEMS, "more item")}`);
  return make(
    "details",
    { class: "items", open: JSON.stringify(items).length < OPEN_LENGTH },
    make("summary", {}, plural(items.length, "item")),
    shown,
    rest,
  );
}

function tensor(value, label) {
  const { dtype, shape, data } = value;
  if (shape.includes(0)) return make("p", { class: "note" }, "no elements");
  if (shape.length === 0) return make("p", { class: "scalar" }, element(data, dtype));
  if (shape.length === 1) return vector(data, dtype, label);
  if (shape.length === 2) return matrix(data, dtype, label);
  const leading = shape.length - 2;
  const slices = slicesOf(data, leading, "");
  const shown = slices
    .slice(0, SLICES)
    .map(([place, part]) =>
      make(
        "figure",
        { class: "slice" },
        make("figcaption", {}, `[${place}:, :]`),
        matrix(part, dtype, `${label}[${place}:, :]`),
      ),
    );
  const rest = slices.length > SLICES && [
    make("p", { class: "note" }, `and ${plural(slices.length - SLICES, "more slice")}`),
    summary(statistics(flatten(data, dtype)), dtype),
  ];
  return [make("div", { class: "slices" }, shown), rest];
}

// [["0, ", matrix], …] for all places of the leading dimensions.
function slicesOf(data, leading, place) {
  if (leading === 0) return [[place, data]];
  return data.flatMap((part, index) => slicesOf(part, leading - 1, `${place}${index}, `));
}

const flatten = (data, dtype) => (dtype.startsWith("complex") ? [data] : data.flat(Infinity));

function vector(data, dtype, label) {
  if (data.length <= ROW) return grid([data], cell(dtype), { label, rows: false });
  const all = make(
    "details",
    {},
    make("summary", {}, `all ${data.length} values`),
    make("p", { class: "flat" }, data.map((it) => element(it, dtype)).join(", ")),
  );
  return [
    grid([data.slice(0, CORNER)], cell(dtype), { label, rows: false, more: true }),
    summary(statistics(flatten(data, dtype)), dtype),
    all,
  ];
}

function matrix(data, dtype, label) {
  const [rows, columns] = [data.length, data[0].length];
  if (rows <= ROW && columns <= ROW) return grid(data, cell(dtype), { label, rows: true });
  const tall = rows > ROW ? CORNER : ROW;
  const wide = columns > ROW ? CORNER : ROW;
  const corner = data.slice(0, tall).map((row) => row.slice(0, wide));
  return [
    grid(corner, cell(dtype), { label, rows: true, more: columns > wide, below: rows > tall }),
    summary(statistics(flatten(data, dtype)), dtype),
  ];
}

// min, max and mean; of complex and of empty values there are none.
function summary(found, dtype) {
  if (!found || found.min === null) return null;
  const float = /^(int|uint|bool)/.test(dtype) ? dtype : "float64";
  const pairs = [
    ["min", found.min, float],
    ["max", found.max, float],
    ["mean", found.mean, "float64"],
  ];
  return make(
    "dl",
    { class: "summary" },
    pairs.map(([name, number, kind]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, number === null ? "none" : short(number, kind, 6))),
    ),
  );
}

const cell = (dtype) => (data) => {
  const title = element(data, dtype);
  const isNumber = !Array.isArray(data) && typeof data !== "boolean";
  return { text: isNumber ? short(data, dtype, 4) : title, title, number: Array.isArray(data) ? null : data };
};

function element(data, dtype) {
  if (typeof data === "boolean") return data ? "True" : "False";
  return Array.isArray(data) ? complex(data, dtype) : exact(data, dtype);
}

function complex([re, im], dtype) {
  const imaginary = exact(im, dtype);
  return `${exact(re, dtype)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}j`;
}
