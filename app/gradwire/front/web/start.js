"use strict";

// Swagger UI reads and rewrites JSON with JavaScript's numbers: integers beyond 2^53 change on the way out and on the
// way back, and replies of megabytes freeze the page. Bodies are therefore sent as they were typed, and replies are
// shown as they came, laid out line by line and cut.

const LONGEST_SHOWN = 50000;

// Indents JSON text without reading its numbers. Objects and lists that fit on a line stay on one.
function laidOut(text) {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) || [];
  const ends = new Map();
  const open = [];
  tokens.forEach((token, place) => {
    if (token === "{" || token === "[") open.push(place);
    if ((token === "}" || token === "]") && open.length) ends.set(open.pop(), place);
  });
  const lines = [];
  let line = "";
  let depth = 0;
  let place = 0;
  const flush = () => {
    lines.push(line);
    line = "  ".repeat(depth);
  };
  const spaced = (token) => (token === ":" ? ": " : token === "," ? ", " : token);
  while (place < tokens.length) {
    const token = tokens[place];
    const end = ends.get(place);
    if (end !== undefined && end - place < 60) {
      const whole = tokens.slice(place, end + 1).map(spaced).join("");
      if (end === place + 1 || whole.length + line.length <= 100) {
        line += whole;
        place = end + 1;
        continue;
      }
    }
    if (token === "{" || token === "[") {
      line += token;
      depth += 1;
      flush();
    } else if (token === "}" || token === "]") {
      depth = Math.max(0, depth - 1);
      flush();
      line += token;
    } else if (token === ",") {
      line += token;
      flush();
    } else {
      line += token === ":" ? ": " : token;
    }
    place += 1;
  }
  lines.push(line);
  return lines.join("\n");
}

function shown(text) {
  if (text.length <= LONGEST_SHOWN) return laidOut(text);
  return `${text.slice(0, LONGEST_SHOWN)}\n… (${text.length} characters in all; use curl to see the rest)`;
}

let typed = null;

const exactNumbers = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        executeRequest: (execute, system) => (request) => {
          const text = system.oas3Selectors.requestBodyValue(request.pathName, request.method);
          typed = typeof text === "string" ? text : null;
          return execute(request);
        },
      },
    },
  },
  wrapComponents: {
    responseBody: (Original, system) => (properties) => {
      const isJson = typeof properties.content === "string" && /json/.test(properties.contentType || "");
      const changed = isJson ? { content: shown(properties.content), contentType: "text/plain" } : {};
      return system.React.createElement(Original, { ...properties, ...changed });
    },
  },
});

function asTyped(request) {
  if (typed !== null && typeof request.body === "string") {
    try {
      JSON.parse(typed);
      request.body = typed;
    } catch {
      // Not JSON: what Swagger UI made of it is sent, and the server says what is wrong.
    }
  }
  typed = null;
  return request;
}

// What the page shows is the text; its parsed copy would be turned into an immutable structure, number by number.
function withoutCopy(response) {
  if (typeof response.text === "string" && response.text.length > LONGEST_SHOWN) {
    response.obj = null;
    response.body = null;
  }
  return response;
}

window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2,
  validatorUrl: null,
  plugins: [exactNumbers],
  requestInterceptor: asTyped,
  responseInterceptor: withoutCopy,
});
