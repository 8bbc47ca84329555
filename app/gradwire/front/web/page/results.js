// Where results go: status, problem, output, plot, variables, tape.

import { byId, make, plural } from "./dom.js";
import { chart } from "./plot.js";
import { printed } from "./printed.js";
import { explained, placed } from "./problem.js";
import { PLAIN, seriesOf } from "./series.js";
import { Tape } from "./tape.js";
import { card } from "./values.js";

export class Results {
  constructor(editor) {
    this.editor = editor;
    this.lines = { light: (line) => editor.light(line), goTo: (line, column) => editor.goTo(line, column) };
    this.tape = new Tape(this.lines);
    this.root = byId("results");
  }

  busy() {
    this.root.setAttribute("aria-busy", "true");
    this.tape.stop();
  }

  // A reply to the run of `program`.
  show(program, reply) {
    this.clear();
    const names = Object.keys(reply.variables ?? {});
    const entries = reply.printed ?? [];
    this.section("output", entries.length > 0 && printed(entries, this.lines));
    this.section("curve", curve(seriesOf(reply)));
    this.section("variables", names.length > 0 && cards(reply));
    this.section("tape", true);
    this.tape.show({ program, seed: reply.seed }, reply.timing_ms.run);
    this.say(
      `Done: ${plural(entries.length, "print")}, ${plural(names.length, "variable")}.`,
      `${reply.timing_ms.run.toFixed(1)} ms on ${reply.device}, PyTorch ${reply.torch}, seed ${reply.seed}`,
    );
  }

  // A problem document about `program`; the text may be another by now.
  refuse(program, problem) {
    this.clear();
    this.say("");
    const box = byId("problem");
    box.replaceChildren(...explained(problem, this.lines));
    box.hidden = false;
    if (program === this.editor.text) this.editor.mark(placed(problem));
  }

  say(text, facts = "") {
    byId("said").textContent = text;
    byId("facts").textContent = facts;
  }

  clear() {
    this.root.removeAttribute("aria-busy");
    this.editor.mark([]);
    this.editor.light(null);
    byId("welcome").hidden = true;
    byId("problem").hidden = true;
    for (const name of ["output", "curve", "variables", "tape"]) byId(name).hidden = true;
  }

  // Shows a section where there is something for it.
  section(name, content) {
    const section = byId(name);
    section.hidden = !content;
    const holder = section.querySelector(".content");
    if (content && holder) holder.replaceChildren(...[content].flat());
  }
}

// The chart; folded where it holds nothing but tensors that may mean anything.
function curve(series) {
  if (series.length === 0 || series[0].rank > PLAIN) return chart(series);
  return make(
    "details",
    {},
    make("summary", {}, `${series.map(({ name }) => name).join(", ")} over the index`),
    chart(series),
  );
}

// A card for each variable; its filled .grad stands right after it.
function cards({ variables, outputs }) {
  const made = Object.entries(variables).flatMap(([name, value]) => {
    const grad = outputs[`${name}.grad`];
    return grad ? [card(name, value), card(`${name}.grad`, grad)] : [card(name, value)];
  });
  return make("div", { class: "cards" }, made);
}
