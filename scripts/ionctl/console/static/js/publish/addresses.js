// Addresses in one line of a form, and as ion's messages have them.

/** Split at commas, those in quotes and angle brackets apart. */
export function addressesOf(line) {
  const all = (line.match(/(?:"(?:[^"\\]|\\.)*"?|<[^>]*>?|[^,])+/g) ?? []).map((one) => one.trim()).filter(Boolean);
  return all.length > 1 ? all : (all[0] ?? "");
}

/** Give the line for a field's value; null: it can only be told in JSON. */
export function lineOf(value) {
  const all = Array.isArray(value) ? value : [value ?? ""];
  const texts = all.map((one) => (typeof one === "string" ? one : mailbox(one)));
  return texts.includes(null) ? null : texts.join(", ");
}

function mailbox(one) {
  if (typeof one?.email !== "string") return null;
  if (!one.name) return one.email;
  return `"${String(one.name).replace(/["\\]/g, "\\$&")}" <${one.email}>`;
}
