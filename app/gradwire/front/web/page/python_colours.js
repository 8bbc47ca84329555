// Which part of Python text is a comment, a string, a number, a keyword or a call. Only colours hang on it.

const WORDS =
  "and as assert break class continue def del elif else except finally for from if import in is lambda not or pass " +
  "raise return try while with yield None True False";

const TOKEN = new RegExp(
  [
    "(?<comment>#[^\\n]*)",
    "(?<string>(?<![\\w])[rbfuRBFU]{0,2}(?:\"\"\"[\\s\\S]*?(?:\"\"\"|$(?![\\s\\S]))|'''[\\s\\S]*?(?:'''|$(?![\\s\\S]))" +
      "|\"(?:\\\\.|[^\"\\\\\\n])*\"?|'(?:\\\\.|[^'\\\\\\n])*'?))",
    "(?<number>(?<![\\w.])(?:\\d[\\d_]*\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?j?)",
    `(?<keyword>(?<![\\w.])(?:${WORDS.replaceAll(" ", "|")})(?!\\w))`,
    "(?<call>[A-Za-z_]\\w*(?=\\())",
    "(?<name>[A-Za-z_]\\w*)",
  ].join("|"),
  "gu",
);

// The lines of a text, each a list of [kind, text]; kind is null for what has no colour.
export function coloured(text) {
  const lines = [[]];
  const put = (kind, part) => {
    part.split("\n").forEach((piece, place) => {
      if (place > 0) lines.push([]);
      if (piece) lines.at(-1).push([kind, piece]);
    });
  };
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    put(null, text.slice(end, match.index));
    const [kind] = Object.entries(match.groups).find(([, part]) => part !== undefined);
    put(kind === "name" ? null : kind, match[0]);
    end = match.index + match[0].length;
  }
  put(null, text.slice(end));
  return lines;
}
