// What was wrong: each error with its place, what came, what was expected, and what to write instead.

import { make, whilePointedAt } from "./dom.js";

// A problem document as elements; `goTo(line, column)` is called as a place is pressed.
export function explained(problem, { goTo, light }) {
  const errors = problem.errors.length ? problem.errors : [{ message: problem.detail, code: problem.code }];
  return [
    make("h2", {}, problem.title),
    make(
      "ol",
      { class: "errors", role: "list" },
      errors.map((error) =>
        whilePointedAt(
          one(error, goTo),
          () => light(error.line ?? null),
          () => light(null),
        ),
      ),
    ),
  ];
}

// Errors that can be underlined.
export const placed = (problem) => problem.errors.filter(({ line }) => line);

function one(error, goTo) {
  const { line, column, code, got, expected, hint } = error;
  // The line with its caret comes with the message for those who have no editor.
  const [message] = error.message.split(/\n {4}/);
  const place =
    line &&
    make(
      "button",
      { type: "button", class: "line-link", onclick: () => goTo(line, column) },
      column ? `line ${line}, column ${column}` : `line ${line}`,
    );
  return make(
    "li",
    {},
    make(
      "p",
      { class: "message" },
      place,
      place && " ",
      message,
      code && make("a", { class: "code-link", href: `problems/${code}` }, code),
    ),
    hint && make("p", { class: "hint" }, make("b", {}, "Hint: "), hint),
    expected !== undefined && fact("expected", expected),
    got !== undefined && !String(message).includes(String(got)) && fact("got", got),
  );
}

function fact(name, value) {
  return make(
    "p",
    { class: "fact" },
    `${name}: `,
    make("code", {}, typeof value === "string" ? value : JSON.stringify(value)),
  );
}
