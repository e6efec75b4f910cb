// Where in a text a JSONPath of ion's points to.
import { tokens } from "./tokens.js";

/**
 * Give the place of what is wrong, or null if the path says none.
 * A field that is missing, or whose name ion doesn't repeat (`[*]`), is the object's opening brace.
 * @returns {{start: number, end: number, line: number, column: number} | null}
 */
export function place(text, path) {
  if (!path) return null;
  const all = tokens(text).filter((token) => token.kind !== "space");
  const found = anywhere(all, path) ?? exactly(all, path) ?? exactly(all, parentOf(path));
  if (!found) return null;
  const before = text.slice(0, found.start).split("\n");
  return { ...found, line: before.length, column: before.at(-1).length + 1 };
}

/** `$..name`: the first field of that name, at whatever depth. */
function anywhere(all, path) {
  if (!path.startsWith("$..")) return undefined;
  const tail = path.slice(2).replace(/^\.\[/, "[");
  const key = all.find((token) => token.kind === "key" && token.path.endsWith(tail));
  return key ? field(all, key) : span(all[0]);
}

function exactly(all, path) {
  const key = all.find((token) => token.kind === "key" && token.path === path);
  if (key) return field(all, key);
  const value = all.find((token) => token.path === path && !"]},".includes(token.text));
  return value && span(value);
}

/** A field's name with its value, if that is one token; else with the value's opening bracket. */
function field(all, key) {
  const value = all[all.indexOf(key) + 2];
  return { start: key.start, end: (value?.path === key.path ? span(value) : span(key)).end };
}

const span = (token) => token && { start: token.start, end: token.start + token.text.length };

const parentOf = (path) => path.replace(/(\.\w+|\[[^\]]*\])$/, "") || "$";

/** Give where a line and column, from 1, is in a text. */
export function offset(text, line, column) {
  const lines = text.split("\n").slice(0, line - 1);
  return lines.reduce((sum, one) => sum + one.length + 1, 0) + Math.max(column - 1, 0);
}
