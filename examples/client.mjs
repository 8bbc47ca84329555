// The tutorial's gradient from JavaScript, with fetch alone: node client.mjs [URL]
import { readFile } from "node:fs/promises";

const url = process.argv[2] ?? "http://127.0.0.1:8000";

async function run(graph) {
  const reply = await fetch(`${url}/v1/graphs/run`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(graph),
  });
  const document = await reply.json();
  if (!reply.ok) {
    throw new Error(document.errors.map((error) => `${error.pointer}: ${error.message}`).join("\n"));
  }
  return document.outputs;
}

const graph = JSON.parse(await readFile(new URL("tutorial_gradient.json", import.meta.url), "utf8"));
const outputs = await run(graph);
for (const [name, tensor] of Object.entries(outputs)) {
  console.log(name, JSON.stringify(tensor.data), tensor.grad_fn ?? "");
}

// JSON.stringify writes 1.0 as 1: where numbers may all be whole, say the dtype.
try {
  await run({ inputs: { x: { data: [1.0], requires_grad: true } }, nodes: [] });
} catch (error) {
  console.log(error.message);
}
