// A line chart of one series, drawn as SVG: axes with round numbers, a readout under the pointer.

import { make, makeSvg, plural } from "./dom.js";
import { short } from "./numbers.js";

const WIDTH = 640;
const HEIGHT = 240;
const MARGIN = { left: 64, right: 16, top: 14, bottom: 28 };

// A figure for the series that a reply holds; null where there are none.
export function chart(series) {
  if (series.length === 0) return null;
  const holder = make("div", { class: "chart" });
  const readout = make("output", { class: "readout" });
  const choice = make(
    "select",
    { "aria-label": "What is plotted" },
    series.map(({ name }, place) => make("option", { value: place }, name)),
  );
  const log = make("input", { type: "checkbox" });
  const show = () => {
    const chosen = series[Number(choice.value)];
    log.disabled = !chosen.y.every((value) => value > 0);
    readout.textContent = described(chosen);
    holder.replaceChildren(drawn(chosen, log.checked && !log.disabled, readout));
  };
  choice.addEventListener("change", show);
  log.addEventListener("change", show);
  show();
  const bar = make(
    "div",
    { class: "chart-bar" },
    series.length > 1 ? choice : make("span", { class: "series-name" }, series[0].name),
    make("label", {}, log, " log scale"),
    readout,
  );
  return [bar, holder];
}

function described({ y }) {
  return `${plural(y.length, "value")}, from ${short(y[0], "float64")} to ${short(y.at(-1), "float64")}`;
}

function drawn(series, logarithmic, readout) {
  const points = series.x.map((x, place) => [x, series.y[place]]).filter(([, y]) => Number.isFinite(y));
  const across = scale(
    points.map(([x]) => x),
    MARGIN.left,
    WIDTH - MARGIN.right,
    {},
  );
  const up = scale(
    points.map(([, y]) => y),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
    { logarithmic, whole: true },
  );
  const places = points.map(([x, y]) => [across.at(x), up.at(y)]);
  const path = places.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  const dot = makeSvg("circle", { class: "dot", r: 4, visibility: "hidden" });
  const label = `${series.name}: ${described(series)}`;
  const svg = makeSvg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    up.ticks.map((tick) => row(tick, up)),
    across.ticks.map((tick) => column(tick, across)),
    makeSvg("path", { class: "curve", d: path }),
    places.length <= 30 && places.map(([x, y]) => makeSvg("circle", { class: "point", cx: x, cy: y, r: 2.5 })),
    dot,
  );
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const nearest = places.reduce(
      (best, [place], index) => (Math.abs(place - x) < Math.abs(places[best][0] - x) ? index : best),
      0,
    );
    dot.setAttribute("cx", places[nearest][0]);
    dot.setAttribute("cy", places[nearest][1]);
    dot.setAttribute("visibility", "visible");
    readout.textContent = `${short(points[nearest][0], "int64")}: ${short(points[nearest][1], "float64", 6)}`;
  });
  svg.addEventListener("pointerleave", () => {
    dot.setAttribute("visibility", "hidden");
    readout.textContent = described(series);
  });
  return svg;
}

function row(tick, up) {
  const y = up.at(tick);
  return makeSvg(
    "g",
    {},
    makeSvg("line", { class: "rule", x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y, y2: y }),
    makeSvg("text", { class: "tick", x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }, tickText(tick)),
  );
}

function column(tick, across) {
  return makeSvg("text", { class: "tick", x: across.at(tick), y: HEIGHT - 8, "text-anchor": "middle" }, tickText(tick));
}

const tickText = (tick) =>
  Math.abs(tick) >= 1e5 || (tick !== 0 && Math.abs(tick) < 1e-3) ? tick.toExponential().replace("+", "") : String(tick);

// Maps values to [from, to]; `ticks` are round numbers among them, or around them where `whole`.
function scale(values, from, to, { logarithmic = false, whole = false }) {
  const change = logarithmic ? Math.log10 : (value) => value;
  let low = change(values.reduce((a, b) => Math.min(a, b)));
  let high = change(values.reduce((a, b) => Math.max(a, b)));
  if (high - low < 1e-12) [low, high] = [low - 0.5, high + 0.5];
  const ticks = logarithmic ? powers(low, high) : rounds(low, high, whole);
  if (whole && !logarithmic) [low, high] = [Math.min(low, ticks[0]), Math.max(high, ticks.at(-1))];
  return { at: (value) => from + ((change(value) - low) / (high - low)) * (to - from), ticks };
}

function rounds(low, high, whole) {
  const rough = (high - low) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((size) => size >= rough);
  const ticks = [];
  const [first, last] = whole
    ? [Math.floor(low / step), Math.ceil(high / step)]
    : [Math.ceil(low / step), Math.floor(high / step)];
  for (let place = first; place <= last; place += 1) ticks.push(Number((place * step).toPrecision(12)));
  return ticks;
}

function powers(low, high) {
  const ticks = [];
  const step = Math.max(1, Math.ceil((high - low) / 5));
  for (let power = Math.ceil(low); power <= Math.floor(high); power += step) ticks.push(Number(`1e${power}`));
  return ticks.length >= 2 ? ticks : [10 ** low, 10 ** high].map((value) => Number(value.toPrecision(2)));
}
