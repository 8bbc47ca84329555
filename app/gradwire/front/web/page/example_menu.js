// The menu of examples: a popover of buttons in groups, so that Escape and a click beside it close it.

import { byId, make } from "./dom.js";
import { GROUPS } from "./examples.js";

export class ExampleMenu {
  // `choose(example)` is called with one of the examples.
  constructor(choose) {
    this.button = byId("examples-button");
    this.menu = byId("examples");
    this.menu.append(
      make(
        "div",
        {},
        GROUPS.map((group) => this.group(group, choose)),
      ),
    );
    this.menu.addEventListener("toggle", (event) => this.toggled(event.newState === "open"));
  }

  group({ title, examples }, choose) {
    const items = examples.map((example) => {
      const pick = () => {
        this.menu.hidePopover();
        choose(example);
      };
      return make(
        "li",
        {},
        make(
          "button",
          { type: "button", class: "example", onclick: pick },
          make("b", {}, example.name),
          make("span", {}, example.about),
        ),
      );
    });
    return make("section", {}, make("h3", {}, title), make("ul", { role: "list" }, items));
  }

  toggled(open) {
    this.button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const { bottom, left } = this.button.getBoundingClientRect();
    this.menu.style.setProperty("--top", `${Math.round(bottom + 6)}px`);
    this.menu.style.setProperty("--left", `${Math.round(left)}px`);
    this.menu.querySelector("button").focus();
  }
}
