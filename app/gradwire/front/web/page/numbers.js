// Numbers of a reply as text. They are JSON numbers, or strings where JSON has none ("NaN", integers beyond 2^53).

const FLOATING = /^(float|bfloat|complex)/;

// The number as Python's repr lays it out: 27.0, 1e-07, -0.0.
export function exact(number, dtype) {
  if (typeof number !== "number") return String(number);
  if (!FLOATING.test(dtype)) return String(number);
  if (Number.isInteger(number) && Math.abs(number) < 1e16) return `${Object.is(number, -0) ? "-" : ""}${number}.0`;
  return String(number).replace(/e([+-])(\d)$/, "e$10$2");
}

// The same in at most `digits` significant digits, for a cell.
export function short(number, dtype, digits = 5) {
  const text = exact(number, dtype);
  if (typeof number !== "number" || text.replace(/^-/, "").length <= digits + 2) return text;
  return Number.isInteger(number) && Math.abs(number) < 1e9 ? text : rounded(number, digits);
}

function rounded(number, digits) {
  const text = number.toPrecision(digits);
  const [mantissa, exponent] = text.split("e");
  const cut = mantissa.includes(".") ? mantissa.replace(/0+$/, "").replace(/\.$/, ".0") : mantissa;
  return exponent === undefined ? cut : `${cut}e${exponent}`;
}

export const NUMBERS = { NaN, "-NaN": NaN, Infinity, "-Infinity": -Infinity };

// As a JavaScript number; null for what is none (a bool, a complex pair).
export function asNumber(value) {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return null;
  if (value in NUMBERS) return NUMBERS[value];
  return /^-?\d+$/.test(value) ? Number(value) : /^0x[0-9a-f]+$/.test(value) ? NaN : null;
}

// {min, max, mean} of a list; NaN wins, as it does in torch.min. Null where something in it is no number.
export function statistics(values) {
  const numbers = values.map(asNumber);
  if (numbers.length === 0 || numbers.includes(null)) return null;
  const nan = numbers.some(Number.isNaN);
  const over = (choose) => (nan ? NaN : numbers.reduce(choose));
  return {
    min: over((a, b) => Math.min(a, b)),
    max: over((a, b) => Math.max(a, b)),
    mean: numbers.reduce((sum, number) => sum + number, 0) / numbers.length,
  };
}
