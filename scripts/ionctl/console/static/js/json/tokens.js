// Reads JSON into tokens with their places and paths, also where the text is broken: people type.

const TOKEN = /[\s\uFEFF]+|"(?:[^"\\\n]|\\.)*"?|-?\d[\w.+-]*|[A-Za-z_]\w*|[{}[\],:]|[^]/gy;

/**
 * @typedef {{kind: "key" | "string" | "number" | "word" | "sign" | "space" | "stray",
 *   text: string, start: number, path: string}} Token
 *   `path`: of the value that the token is, begins or names: "$.recipient[0]"
 */

/** Give all tokens of a text: their texts make up the whole of it. */
export function tokens(text) {
  const found = [];
  const open = []; // {path, index} of each object (index null) and array around
  let path = "$"; // of the value that comes next
  let isKey = false;
  for (const { 0: part, index: start } of text.matchAll(TOKEN)) {
    const within = open.at(-1);
    const token = { kind: kindOf(part), text: part, start, path };
    found.push(token);
    if (token.kind === "space") continue;
    if (part === "{" || part === "[") {
      open.push({ path, index: part === "[" ? 0 : null });
      isKey = part === "{";
      path = part === "[" ? `${path}[0]` : path;
    } else if (part === "}" || part === "]") {
      token.path = open.pop()?.path ?? "$";
      isKey = false;
    } else if (part === "," && within) {
      token.path = within.path;
      isKey = within.index === null;
      path = isKey ? within.path : `${within.path}[${(within.index += 1)}]`;
    } else if (isKey && token.kind === "string") {
      token.kind = "key";
      isKey = false;
      path = token.path = member(within.path, unquoted(part));
    }
  }
  return found;
}

function kindOf(part) {
  if (/^[\s\uFEFF]/.test(part)) return "space";
  if (part[0] === '"') return "string";
  if (/^-?\d/.test(part)) return "number";
  if (/^[{}[\],:]$/.test(part)) return "sign";
  return /^\w/.test(part) ? "word" : "stray";
}

function unquoted(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(1);
  }
}

/** The path of a field as ion writes it (contract/paths.py). */
const member = (path, name) => (/^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}['${name}']`);

/** Give the text with a line for each value; values stay as they are written. */
export function indented(text) {
  const out = [];
  let depth = 0;
  let last = "";
  const line = () => out.push("\n", "  ".repeat(Math.max(depth, 0)));
  for (const token of tokens(text)) {
    if (token.kind === "space") continue;
    const closes = token.text === "}" || token.text === "]";
    if (closes) {
      depth -= 1;
      if (last !== "{" && last !== "[") line();
    } else if (last === "{" || last === "[" || last === ",") line();
    out.push(token.text);
    if (token.text === ":") out.push(" ");
    if (token.kind === "sign" && (token.text === "{" || token.text === "[")) depth += 1;
    last = token.kind === "sign" ? token.text : "";
  }
  return out.join("");
}
