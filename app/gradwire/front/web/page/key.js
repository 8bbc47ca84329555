// The key of a server that asks for one: kept for this tab only, and shown nowhere.

import { byId } from "./dom.js";

const NAME = "gradwire-key";

export const storedKey = () => sessionStorage.getItem(NAME);

// The form that asks. `use` is called once a key was given.
export class KeyForm {
  constructor(use) {
    this.form = byId("key-form");
    this.field = byId("key");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(NAME, this.field.value.trim());
      this.field.value = "";
      this.hide();
      use();
    });
  }

  ask() {
    sessionStorage.removeItem(NAME);
    this.form.hidden = false;
    this.field.focus();
  }

  hide() {
    this.form.hidden = true;
  }
}
