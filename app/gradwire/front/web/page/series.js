// Finds what can be plotted: lists of numbers and 1-D tensors among the variables, and numbers that a loop printed.

import { asNumber } from "./numbers.js";

const LEAST = 4;

// [{name, x, y, rank}], the likeliest first: what is called loss, then lists, then printed numbers, then tensors, which
// have PLAIN rank unless their name says more.
export const PLAIN = 1;
export function seriesOf(reply) {
  const found = [...variables(reply.variables ?? {}), ...printedByLoops(reply.printed ?? [])];
  return found.filter(({ y }) => y.filter(Number.isFinite).length >= LEAST).sort((a, b) => b.rank - a.rank);
}

function variables(values) {
  return Object.entries(values).flatMap(([name, value]) => {
    const y = numbersIn(value);
    const rank = (/loss|cost|error/i.test(name) ? 4 : 0) + (value.kind === "list" ? 3 : PLAIN);
    return y === null ? [] : [{ name, x: y.map((_, place) => place), y, rank }];
  });
}

// The numbers of a list, or of a floating 1-D tensor; null where it is something else.
function numbersIn(value) {
  if (value.kind === "list" && value.items) {
    const numbers = value.items.map(numberOf);
    const floats = value.items.some((item) => item.kind !== "int");
    return floats && numbers.length >= LEAST && !numbers.includes(null) ? numbers : null;
  }
  if (!["tensor", "ndarray"].includes(value.kind) || value.shape.length !== 1 || !value.data) return null;
  return value.shape[0] >= 2 * LEAST && /^b?float/.test(value.dtype) ? value.data.map(asNumber) : null;
}

function numberOf(item) {
  if (item.kind === "float" || item.kind === "int") return asNumber(item.value);
  return item.kind === "tensor" && item.shape.length === 0 ? asNumber(item.data) : null;
}

const NUMBER = /(?<![\w.])-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w])/g;

// Entries of one line that hold equally many numbers: the last of them over the first, or over their count.
function printedByLoops(entries) {
  const lines = new Map();
  for (const { line, text } of entries) {
    const numbers = (text.match(NUMBER) ?? []).map(Number);
    if (!lines.has(line)) lines.set(line, []);
    lines.get(line).push(numbers);
  }
  return [...lines].flatMap(([line, rows]) => {
    const width = rows[0].length;
    if (rows.length < LEAST || width === 0 || rows.some((row) => row.length !== width)) return [];
    const first = rows.map((row) => row[0]);
    const steps = width > 1 && first.every((number, place) => place === 0 || number > first[place - 1]);
    const y = rows.map((row) => row.at(-1));
    return [{ name: `printed by line ${line}`, x: steps ? first : rows.map((_, place) => place), y, rank: 2 }];
  });
}
