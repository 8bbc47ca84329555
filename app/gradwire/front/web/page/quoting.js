// Text as a literal of a language, so that it comes out as it is, whatever stands in it.

// For POSIX shells, and fish.
export function forShell(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// A Python string over several lines.
export function forPython(text) {
  const inside = text.replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"').replace(/"$/, '\\"');
  return `"""\\\n${inside.replace(/[\0-\x08\x0b-\x1f\x7f]/g, hex)}"""`;
}

// A JavaScript template without substitutions.
export function forJavaScript(text) {
  const inside = text.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${");
  return `\`${inside.replace(/[\0-\x08\x0b-\x1f\x7f]/g, hex)}\``;
}

const hex = (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
