// One run at a time: the buttons, the seconds that go by, and Stop.

import { byId } from "./dom.js";

const TICK_MS = 100;
// A run that ends at once should not flicker.
const QUIET_MS = 300;

export class Running {
  // `work(signal, seconds)` does the run; `signal` fires at Stop, `seconds()` tells how long it has gone.
  constructor(work) {
    this.work = work;
    this.controller = null;
    this.ended = null;
    this.run = byId("run");
    this.stop = byId("stop");
    this.elapsed = byId("elapsed");
    this.run.addEventListener("click", () => this.start());
    this.stop.addEventListener("click", () => this.abort());
  }

  start() {
    if (!this.controller) this.ended = this.begin();
    return this.ended;
  }

  // Starts anew, whatever runs.
  async restart() {
    this.abort();
    await this.ended;
    await this.start();
  }

  async begin() {
    this.controller = new AbortController();
    const since = performance.now();
    const timer = setInterval(() => this.tick(since), TICK_MS);
    this.run.setAttribute("aria-disabled", "true");
    try {
      await this.work(this.controller.signal, () => (performance.now() - since) / 1000);
    } finally {
      clearInterval(timer);
      this.controller = null;
      this.run.removeAttribute("aria-disabled");
      this.idle();
    }
  }

  // Leaves the request: the service stops the worker of a client that has gone.
  abort() {
    this.controller?.abort();
  }

  tick(since) {
    const took = performance.now() - since;
    if (took < QUIET_MS) return;
    this.stop.hidden = false;
    this.elapsed.textContent = `${(took / 1000).toFixed(1)} s`;
  }

  idle() {
    const focused = document.activeElement === this.stop;
    this.stop.hidden = true;
    this.elapsed.textContent = "";
    if (focused) this.run.focus();
  }
}
