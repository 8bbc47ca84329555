// The run, with all that the page shows of it, as code for elsewhere.

import { address, wholeRun } from "./api.js";
import { storedKey } from "./key.js";
import { forJavaScript, forPython, forShell } from "./quoting.js";

const RUN = "v1/graphs/run";

// {json, curl, httpx, fetch}: texts that do the same as Run. A key is named, never shown.
export function requests(program, seed) {
  const url = address(RUN);
  const body = JSON.stringify(wholeRun(program, seed), null, 2);
  const keyed = storedKey() !== null;
  return {
    json: body,
    curl: curl(url, body, keyed),
    httpx: httpx(url, program, seed, keyed),
    fetch: fetched(url, program, seed, keyed),
  };
}

function curl(url, body, keyed) {
  const key = keyed ? ` \\\n  -H "Authorization: Bearer $GRADWIRE_KEY"` : "";
  return `curl -s ${url} \\\n  -H 'Content-Type: application/json'${key} \\\n  -d ${forShell(body)}`;
}

function httpx(url, program, seed, keyed) {
  const seeded = seed === null ? "" : `, "seed": ${seed}`;
  const headers = keyed ? `\n    headers={"Authorization": "Bearer " + os.environ["GRADWIRE_KEY"]},` : "";
  return `${keyed ? "import os\n\n" : ""}import httpx

program = ${forPython(program)}
reply = httpx.post(
    ${JSON.stringify(url)},
    json={"program": program, "variables": True, "tape": {"gradients": True}${seeded}},${headers}
    timeout=60,
)
result = reply.json()
if reply.is_error:
    raise SystemExit(result["detail"])
for entry in result["printed"]:
    print(entry["text"], end=entry.get("end", "\\n"))`;
}

function fetched(url, program, seed, keyed) {
  const seeded = seed === null ? "" : `, seed: ${seed}`;
  const key = keyed ? `, Authorization: \`Bearer \${process.env.GRADWIRE_KEY}\`` : "";
  return `const program = ${forJavaScript(program)};
const reply = await fetch(${JSON.stringify(url)}, {
  method: "POST",
  headers: { "Content-Type": "application/json"${key} },
  body: JSON.stringify({ program, variables: true, tape: { gradients: true }${seeded} }),
});
const result = await reply.json();
if (!reply.ok) throw new Error(result.detail);
console.log(result.printed.map(({ text, end = "\\n" }) => text + end).join("").replace(/\\n$/, ""));`;
}
