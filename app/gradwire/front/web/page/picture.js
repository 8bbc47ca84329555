// The picture that /v1/graphs/draw gives, put into the page: what is on the lists below, and nothing else of it.

import { post } from "./api.js";

const SVG_TYPE = "image/svg+xml";
const MARGIN = 8;
const ELEMENTS = new Set("svg g path polygon rect circle text title".split(" "));
const ATTRIBUTES = new Set(
  (
    "class viewBox width height x y cx cy r rx d points transform text-anchor textLength lengthAdjust " +
    "aria-label data-tape data-node data-line"
  ).split(" "),
);

// An <svg> for the page. `show`: tape, graph or both. Raises Refused, and AbortError where `signal` was used.
export async function picture(body, show, signal) {
  const reply = await post(`v1/graphs/draw?show=${show}`, body, signal, SVG_TYPE);
  const type = reply.headers.get("Content-Type")?.split(";")[0];
  if (type !== SVG_TYPE) throw new TypeError(`a picture of type ${type}`);
  // The parser would apply a style sheet at once, which the policy of the page forbids.
  const text = (await reply.text()).replace(/<style>[^<]*<\/style>/g, "");
  const parsed = new DOMParser().parseFromString(text, SVG_TYPE).documentElement;
  if (parsed.localName !== "svg") throw new TypeError("the picture is no SVG");
  return copied(parsed);
}

// A copy in this document, without styles, links, scripts and handlers; the page's own CSS has rules for its classes.
function copied(element) {
  const made = document.createElementNS(element.namespaceURI, element.localName);
  for (const { name, value } of element.attributes) {
    if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  }
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && ELEMENTS.has(child.localName)) made.append(copied(child));
  }
  return made;
}

// Cuts the picture to what is drawn. What it says of itself for readers of the file stands beside it on the page.
export function trimmed(svg) {
  for (const part of svg.querySelectorAll(":scope > :is(title, .paper, text)")) part.remove();
  // A picture whose parts can be chosen is more than an image.
  svg.setAttribute("role", "group");
  const { x, y, width, height } = svg.getBBox();
  const box = [x - MARGIN, y - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN].map(Math.round);
  svg.setAttribute("viewBox", box.join(" "));
  svg.setAttribute("width", box[2]);
  svg.setAttribute("height", box[3]);
}
