// Requests to this service. What goes wrong is one thing, a Refused, whatever it was.

import { storedKey } from "./key.js";

export class Refused extends Error {
  // `problem` is a problem document (RFC 9457), with `errors` in any case.
  constructor(status, problem) {
    super(problem.detail);
    this.status = status;
    this.problem = { errors: [], ...problem };
  }
}

export const address = (path) => new URL(path, document.baseURI).href;

// The body of a run with all that the page shows of it.
export function wholeRun(program, seed) {
  return { ...seeded(program, seed), variables: true, tape: { gradients: true } };
}

export const seeded = (program, seed) => (seed === null ? { program } : { program, seed });

// A POST of a JSON body; the Response of a success. Raises Refused, and AbortError where `signal` was used.
export async function post(path, body, signal, accept = "application/json") {
  const headers = { "Content-Type": "application/json", Accept: accept };
  const key = storedKey();
  if (key) headers.Authorization = `Bearer ${key}`;
  const reply = await reached(address(path), { method: "POST", headers, body: JSON.stringify(body), signal });
  if (!reply.ok) throw new Refused(reply.status, await problemOf(reply));
  return reply;
}

async function reached(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { title: "The server was not reached", detail: "There is no connection to it.", errors: [] });
  }
}

async function problemOf(reply) {
  const text = await reply.text();
  try {
    return JSON.parse(text);
  } catch {
    return { title: `HTTP ${reply.status}`, detail: text.slice(0, 500), errors: [] };
  }
}
