// Tabs after the ARIA pattern: arrows move among them, one is in the order of Tab.

import { byId, make } from "./dom.js";
import { copyText } from "./copying.js";

export class CodeTabs {
  // `texts()` gives {name: text} for the panels; asked whenever one is shown.
  constructor(texts) {
    this.texts = texts;
    this.tabs = [...byId("request").querySelectorAll("[role=tab]")];
    this.panel = byId("request-code");
    this.copy = byId("request-copy");
    this.tabs.forEach((tab, place) => {
      tab.addEventListener("click", () => this.choose(place));
      tab.addEventListener("keydown", (event) => this.key(event, place));
    });
    this.copy.addEventListener("click", () => copyText(this.code, this.copy));
    this.choose(0);
  }

  choose(place) {
    this.tabs.forEach((tab, other) => {
      tab.setAttribute("aria-selected", String(other === place));
      tab.tabIndex = other === place ? 0 : -1;
    });
    this.chosen = this.tabs[place];
    this.panel.setAttribute("aria-labelledby", this.chosen.id);
    this.show();
  }

  show() {
    this.code = this.texts()[this.chosen.dataset.code];
    this.panel.replaceChildren(make("code", {}, this.code));
  }

  key(event, place) {
    const count = this.tabs.length;
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: count - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.choose((next + count) % count);
    this.chosen.focus();
  }
}
