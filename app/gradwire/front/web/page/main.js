// The page at /: the parts, and how they hang together.

import { post, Refused, seeded } from "./api.js";
import { copyText } from "./copying.js";
import { byId } from "./dom.js";
import { Editor } from "./editor.js";
import { ExampleMenu } from "./example_menu.js";
import { STANDING_READY } from "./examples.js";
import { KeyForm } from "./key.js";
import { requests } from "./requests.js";
import { Results } from "./results.js";
import { Running } from "./running.js";
import { packed, seedOf, unpacked } from "./share.js";
import { CodeTabs } from "./tabs.js";

const SETTLED_MS = 300;

const seedField = byId("seed");
const seed = () => seedOf(seedField.value);

const editor = new Editor({ changed, run: () => running.start() });
const results = new Results(editor);
const tabs = new CodeTabs(() => requests(editor.text, seed()));
const keyForm = new KeyForm(() => running.start());
const running = new Running(run);

async function run(signal, seconds) {
  const program = editor.text;
  results.busy();
  try {
    const reply = await post("v1/graphs/run", { ...seeded(program, seed()), variables: true }, signal);
    results.show(program, await reply.json());
    keyForm.hide();
    tabs.show();
  } catch (error) {
    failed(program, error, seconds());
  }
}

function failed(program, error, seconds) {
  if (error.name === "AbortError") {
    results.clear();
    results.say(`Stopped after ${seconds.toFixed(1)} s.`);
    return;
  }
  const problem =
    error instanceof Refused
      ? error.problem
      : { title: "The reply could not be shown", detail: String(error), errors: [] };
  results.refuse(program, problem);
  if (error.status === 401) keyForm.ask();
}

// The hash follows the editor, once typing pauses.
let settling = 0;
function changed() {
  clearTimeout(settling);
  settling = setTimeout(settled, SETTLED_MS);
}

async function settled() {
  const untouched = editor.text === STANDING_READY.program && seed() === null;
  const hash = untouched ? "" : await packed(editor.text, seed());
  history.replaceState(null, "", `${location.pathname}${location.search}${hash}`);
  tabs.show();
}

async function share() {
  const url = new URL(location.href);
  url.hash = await packed(editor.text, seed());
  history.replaceState(null, "", url);
  await copyText(url.href, byId("share"));
}

async function fromHash() {
  const shared = await unpacked(location.hash);
  if (shared === null && editor.text) return;
  const { program, seed: kept } = shared ?? { program: STANDING_READY.program, seed: null };
  seedField.value = kept ?? "";
  if (program !== editor.text) editor.load(program);
  tabs.show();
}

new ExampleMenu(({ program }) => {
  seedField.value = "";
  editor.replace(program);
  running.restart();
});
byId("share").addEventListener("click", share);
seedField.addEventListener("input", changed);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target !== editor.field) running.start();
});
window.addEventListener("hashchange", fromHash);
await fromHash();
document.documentElement.dataset.ready = "";
