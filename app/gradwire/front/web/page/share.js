// The program in the hash of the address: #p=TEXT&seed=7, the text deflated and in base64url, so that chats and mails
// leave it whole. A server never sees what stands after the #.

// The limit that the service has for a program, in bytes; what does not shrink gets a little longer.
const LONGEST = 65536;
const LONGEST_PACKED = LONGEST + 1024;

// The hash for a program, with its #; empty for one that is too long to be run.
export async function packed(program, seed) {
  const bytes = new TextEncoder().encode(program);
  if (bytes.length > LONGEST) return "";
  const fields = new URLSearchParams({ p: base64url(await through(bytes, new CompressionStream("deflate-raw"))) });
  if (seed !== null) fields.set("seed", String(seed));
  return `#${fields}`;
}

// {program, seed} of a hash; null where it holds no program, or a broken one.
export async function unpacked(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const text = fields.get("p");
  if (!text) return null;
  try {
    const bytes = await through(bytesOf(text), new DecompressionStream("deflate-raw"));
    const program = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { program, seed: seedOf(fields.get("seed")) };
  } catch {
    return null;
  }
}

// A seed as a number; null where there is none that JavaScript's numbers hold exactly.
export function seedOf(text) {
  const seed = /^\d{1,16}$/.test(text ?? "") ? Number(text) : null;
  return Number.isSafeInteger(seed) ? seed : null;
}

// All that comes out of a transforming stream; raises RangeError beyond LONGEST_PACKED.
async function through(bytes, stream) {
  const parts = [];
  let length = 0;
  const writer = stream.writable.getWriter();
  // What fails here fails at the reader too, which is where it is told.
  writer.write(bytes).catch(() => {});
  writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value);
    length += read.value.length;
    if (length > LONGEST_PACKED) throw new RangeError("too long");
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function base64url(bytes) {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytesOf(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}
