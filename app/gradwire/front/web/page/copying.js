// Copies text, and says so on the button that was pressed.

import { byId, make } from "./dom.js";

const SHOWN_MS = 1500;

export async function copyText(text, button) {
  const done = (await written(text)) ? "Copied" : "Not copied";
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = done;
  byId("said").textContent = done;
  setTimeout(() => (button.textContent = label), SHOWN_MS);
}

// The clipboard of browsers is for secure pages only; a server in a local network may be reached without TLS.
async function written(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return selected(text);
  }
}

function selected(text) {
  const field = make("textarea", { class: "unseen" });
  field.value = text;
  const before = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus();
  return done;
}
