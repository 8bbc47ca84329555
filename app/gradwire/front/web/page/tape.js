// What autograd recorded: the picture, the node pointed at, and the same as a table.

import { post } from "./api.js";
import { byId, make, plural, whilePointedAt } from "./dom.js";
import { picture, trimmed } from "./picture.js";
import { card } from "./values.js";

const ROWS = 200;
// The tape needs another run of the program with the same seed, and the picture one more. Results don't wait for them,
// and what takes longer than this is recorded only where it is asked for: a tape of a long loop is large.
const AT_ONCE_MS = 200;

export class Tape {
  constructor({ light, goTo }) {
    this.light = light;
    this.goTo = goTo;
    this.selected = null;
    this.facts = byId("tape-facts");
    this.holder = byId("picture");
    this.node = byId("tape-node");
    this.table = byId("tape-table");
    this.asking = new AbortController();
    this.choices = [...byId("picture-of").querySelectorAll("input")];
    this.wanted = this.chosen;
    this.choices.forEach((choice) => choice.addEventListener("change", () => this.choose(choice.value)));
  }

  // `body`: program and seed of a run that took `took` ms.
  show(body, took) {
    this.body = body;
    this.tape = null;
    this.facts.textContent = "";
    this.table.hidden = true;
    this.select(null);
    this.holder.replaceChildren(make("p", { class: "note" }, "Recording…"));
    if (took < AT_ONCE_MS) this.ask(() => this.record());
    else this.offer("Record", "The tape needs another run of the program.", () => this.record());
  }

  // Does `work`, after what was asked before is left; says what went wrong where the picture would be.
  async ask(work) {
    this.stop();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.holder.setAttribute("aria-busy", "true");
    try {
      await work();
    } catch (error) {
      if (signal.aborted) return;
      this.offer("Try again", error.message, work);
    }
    if (!signal.aborted) this.holder.removeAttribute("aria-busy");
  }

  // The details of a node stand beside the picture, or below one that needs the width.
  lieBelow(svg) {
    const parts = this.holder.parentElement;
    parts.classList.remove("stacked");
    parts.classList.toggle("stacked", svg.clientWidth > this.holder.clientWidth);
  }

  stop() {
    this.asking.abort();
  }

  offer(label, why, work) {
    const button = make("button", { type: "button", class: "plain", onclick: () => this.ask(work) }, label);
    this.holder.replaceChildren(make("p", { class: "note" }, why, " ", button));
    this.holder.removeAttribute("aria-busy");
  }

  async record() {
    const { signal } = this.asking;
    const reply = await post("v1/graphs/run", { ...this.body, returns: [], tape: { gradients: true } }, signal);
    this.list((await reply.json()).tape);
    await this.draw();
  }

  list(tape) {
    this.tape = tape;
    const { nodes, saved_bytes: bytes } = tape;
    const recorded = nodes.length > 0;
    this.facts.textContent = recorded
      ? `${plural(nodes.length, "node")}, ${plural(bytes, "byte")} saved for backward`
      : "nothing here needed gradients";
    this.table.hidden = !recorded;
    this.table.querySelector("tbody").replaceChildren(...nodes.slice(0, ROWS).map((node) => this.row(node)));
    byId("tape-rest").textContent = nodes.length > ROWS ? `and ${plural(nodes.length - ROWS, "more node")}` : "";
    const shown = recorded || this.wanted !== "tape" ? this.wanted : "graph";
    this.choices.find(({ value }) => value === shown).checked = true;
    this.select(recorded ? nodes[0] : null);
  }

  get chosen() {
    return this.choices.find(({ checked }) => checked).value;
  }

  choose(picture) {
    this.wanted = picture;
    this.ask(() => this.draw());
  }

  async draw() {
    const svg = await picture(this.body, this.chosen, this.asking.signal);
    this.attach(svg);
    this.holder.replaceChildren(svg);
    trimmed(svg);
    this.lieBelow(svg);
    this.select(this.drawnNode(svg));
  }

  // The chosen node, where it is in the picture; else the first that is: of long tapes only a part is drawn.
  drawnNode(svg) {
    const ids = [...svg.querySelectorAll("g.tape-node")].map((group) => Number(group.dataset.tape));
    if (ids.length === 0 || ids.includes(this.selected?.id)) return this.selected;
    const drawn = (this.tape?.nodes ?? []).filter(({ id }) => ids.includes(id));
    return drawn.find(({ next }) => next.length > 0) ?? drawn[0] ?? null;
  }

  row(node) {
    const tensors = node.saved.filter(({ bytes }) => bytes !== undefined);
    const cells = [
      make("td", {}, node.next.length ? node.next.map((edge) => (edge ? edge[0] : "none")).join(", ") : ""),
      make("td", {}, tensors.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ")),
      make("td", {}, node.line ? String(node.line) : ""),
    ];
    const name = make(
      "button",
      { type: "button", class: "node-link", onclick: () => this.goTo(node.line ?? 1) },
      `${node.id} ${node.name}`,
    );
    return this.pointable(make("tr", {}, make("th", { scope: "row" }, name), cells), node);
  }

  // While `element` is pointed at, the line that made the node is lit; its details stay.
  pointable(element, node) {
    const enter = () => {
      this.select(node);
      this.light(node.line ?? null);
    };
    return whilePointedAt(element, enter, () => this.light(null));
  }

  attach(svg) {
    for (const group of svg.querySelectorAll("g.tape-node")) {
      const node = this.tape?.nodes[Number(group.dataset.tape)];
      if (node) this.focusable(this.pointable(group, node), node.line);
    }
    for (const group of svg.querySelectorAll("g.graph-node[data-line]")) {
      const line = Number(group.dataset.line);
      const enter = () => this.light(line);
      this.focusable(
        whilePointedAt(group, enter, () => this.light(null)),
        line,
      );
    }
  }

  // A part of the picture as a button, named by its <title>: Enter or a double click goes to its line.
  focusable(group, line) {
    if (line) group.querySelector(":scope > title")?.append(`, line ${line}`);
    group.setAttribute("tabindex", "0");
    group.setAttribute("role", "button");
    const go = () => line && this.goTo(line);
    group.addEventListener("dblclick", go);
    group.addEventListener("keydown", (event) => event.key === "Enter" && go());
  }

  select(node) {
    this.selected = node;
    this.holder.querySelector(".chosen")?.classList.remove("chosen");
    this.holder.querySelector(`g.tape-node[data-tape="${node?.id}"]`)?.classList.add("chosen");
    this.node.hidden = node === null;
    if (node) this.node.replaceChildren(...this.details(node));
  }

  details(node) {
    const line =
      node.line &&
      make("button", { type: "button", class: "line-link", onclick: () => this.goTo(node.line) }, `line ${node.line}`);
    const made = node.input ? `input ${node.input}` : null;
    return [
      make("h3", {}, node.name, " ", line ?? made ?? ""),
      make("h4", {}, node.name === "AccumulateGrad" ? "Gradient that it adds to .grad" : "Gradient that flowed in"),
      ...gradients(node),
      make("h4", {}, "Saved for backward"),
      saved(node),
    ];
  }
}

function gradients({ grad }) {
  const flowed = (grad ?? []).filter((value) => value !== null);
  return flowed.length
    ? flowed.map((value) => card(null, value))
    : [make("p", { class: "note" }, "none: backward has not crossed it")];
}

function saved(node) {
  if (node.saved.length === 0) return make("p", { class: "note" }, "nothing");
  return make(
    "ul",
    { class: "saved" },
    node.saved.map((it) => make("li", {}, make("b", {}, it.name), " ", it.shape ? tensorFacts(it) : written(it.value))),
  );
}

// What an op saved beside tensors: a number, a text, a size, null.
function written(value) {
  return Array.isArray(value) ? `[${value.map(written).join(", ")}]` : JSON.stringify(value ?? null);
}

function tensorFacts({ dtype, shape, bytes, storage }) {
  return [
    make("span", { class: "dtype" }, dtype),
    " ",
    make("span", { class: "shape" }, `[${shape.join(", ")}]`),
    ` ${plural(bytes, "byte")}`,
    storage === undefined ? "" : `, storage ${storage}`,
  ];
}
