// What sort of form field a property of the JSON Schema gets.

/**
 * @typedef {"line" | "text" | "address" | "addresses" | "choice" | "time" | "number" | "switch"
 *   | "pairs" | "files" | "group" | "json"} Kind
 * @typedef {{name: string, kind: Kind, options: string[], fields: Field[]}} Field
 */

const LONG = /^body_/;

/** Give the actions of the schema: {send: {title, description, fields}}. */
export function actionsOf(schema) {
  const all = schema.anyOf.map((one) => resolved(one, schema.$defs));
  return Object.fromEntries(
    all.map((one) => [one.properties.action.enum[0], { about: one.description, fields: fieldsOf(one, schema.$defs) }]),
  );
}

const fieldsOf = (schema, defs) =>
  Object.entries(schema.properties)
    .filter(([name]) => name !== "action")
    .map(([name, property]) => field(name, property, defs));

const resolved = (schema, defs) => (schema.$ref ? defs[schema.$ref.split("/").at(-1)] : schema);

/** Give the alternatives of a property, null left out: null is a field that isn't there. */
const alternatives = (schema, defs) =>
  (resolved(schema, defs).anyOf ?? [schema]).map((one) => resolved(one, defs)).filter((one) => one.type !== "null");

/** @returns {Field} */
function field(name, property, defs) {
  const all = alternatives(property, defs);
  const [first] = all;
  const give = (kind, more = {}) => ({ name, kind, options: [], fields: [], ...more });
  if (all.some((one) => one.title === "Mailbox")) return give(all.some((one) => one.type === "array") ? "addresses" : "address");
  if (first.enum) return give("choice", { options: first.enum });
  if (first.type === "boolean") return give("switch");
  if (first.type === "integer" || first.type === "number") return give("number");
  if (first.format === "date-time") return give("time");
  if (first.type === "array") return give(resolved(first.items, defs).title === "Attachment" ? "files" : "json");
  if (first.type === "object") return object(first, defs, give);
  return give(LONG.test(name) ? "text" : "line");
}

function object(schema, defs, give) {
  if (schema.properties) return give("group", { fields: fieldsOf(schema, defs) });
  const values = schema.additionalProperties;
  const texts = values && alternatives(values, defs).every((one) => one.type === "string");
  return give(texts ? "pairs" : "json");
}
