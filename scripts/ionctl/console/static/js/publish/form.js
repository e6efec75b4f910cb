// A form made of the JSON Schema. The JSON is the message; the form reads it, and writes into it.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { live } from "../../vendor/lit-html/directives/live.js";
import { withZone } from "../time.js";
import { size } from "../size.js";
import { addressesOf, lineOf } from "./addresses.js";
import { pairs } from "./pairs.js";

const TITLES = {
  recipient: "To", cc: "Cc", bcc: "Bcc", sender: "From", reply_to: "Reply to", return_path: "Return path",
  body_text: "Text", body_html: "HTML", email_id: "Id", in_doubt: "If in doubt", not_before: "Not before",
  expires_at: "Expires at",
};

/** Give a field's name for people. */
export const title = (name) => TITLES[name] ?? (name[0].toUpperCase() + name.slice(1)).replaceAll("_", " ");

/** Texts as they were typed, while the message has what came of them: a comma, an open bracket. */
const typed = new Map();

/** Give what to show for a value: as it was typed, if that is still what it means. */
function asTyped(path, value, line) {
  const last = typed.get(path);
  return last && last.value === JSON.stringify(value) ? last.text : line;
}

/**
 * @param {import("./kinds.js").Field} field
 * @param {any} value of the field in the message; undefined: it isn't there.
 * @param {(value: any) => void} set undefined takes the field out.
 * @param {Set<string>} bad paths of fields that the check finds fault with.
 * @param {Record<string, string>} hints by path: what a value must be.
 */
export function formField(field, value, set, bad, hints, path = `$.${field.name}`) {
  const wrong = [...bad].some((one) => one === path || (one.startsWith(path) && /^[.[]/.test(one.slice(path.length))));
  const hint = hints[path];
  const attributes = { id: `field${path.replaceAll(/\W/g, "-")}`, wrong, path };
  if (field.kind === "group") return group(field, value ?? {}, set, bad, hints, path);
  if (field.kind === "pairs" || field.kind === "files") {
    return html`<fieldset class="field ${wrong ? "wrong-field" : ""}"><legend>${title(field.name)}</legend>
      ${field.kind === "pairs" ? pairs(path, value, set) : files(value, set)}</fieldset>`;
  }
  return html`<div class="field kind-${field.kind} ${wrong ? "wrong-field" : ""}">
    <label for=${attributes.id}>${title(field.name)}</label>
    ${INPUTS[field.kind](field, value, set, attributes)}
    ${hint ? html`<small class="soft" id="${attributes.id}-hint">${hint}</small>` : nothing}
  </div>`;
}

const text = (value) => (typeof value === "string" ? value : "");
const orGone = (value) => (value === "" ? undefined : value);

const INPUTS = {
  line: (field, value, set, { id, wrong }) =>
    html`<input id=${id} .value=${live(text(value))} autocomplete="off" aria-describedby="${id}-hint" aria-invalid=${wrong}
      @input=${(event) => set(orGone(event.target.value))}>`,
  text: (field, value, set, { id, wrong }) =>
    html`<textarea id=${id} rows="5" .value=${live(text(value))} aria-invalid=${wrong}
      @input=${(event) => set(orGone(event.target.value))}></textarea>`,
  address: addressed,
  addresses: addressed,
  choice: (field, value, set, { id }) =>
    html`<select id=${id} @change=${(event) => set(orGone(event.target.value))}>
      <option value="" .selected=${value == null}>not given</option>
      ${field.options.map((one) => html`<option value=${one} .selected=${value === one}>${one}</option>`)}
    </select>`,
  time: (field, value, set, { id, wrong }) =>
    html`<input id=${id} type="datetime-local" step="1" .value=${live(local(value))} aria-invalid=${wrong}
      @change=${(event) => set(event.target.value ? withZone(new Date(event.target.value)) : undefined)}>`,
  number: (field, value, set, { id, wrong }) =>
    html`<input id=${id} type="number" step="any" .value=${live(value ?? "")} aria-invalid=${wrong}
      @input=${(event) => set(event.target.value === "" ? undefined : Number(event.target.value))}>`,
  switch: (field, value, set, { id }) =>
    html`<input id=${id} type="checkbox" .checked=${live(value === true)} @change=${(event) => set(event.target.checked || undefined)}>`,
  json: (field, value, set, { id, wrong, path }) =>
    html`<textarea id=${id} rows="3" class="mono" placeholder="JSON" aria-invalid=${wrong} spellcheck="false"
      .value=${live(asTyped(path, value, value === undefined ? "" : JSON.stringify(value, null, 2)))}
      @input=${(event) => setParsed(path, event.target, set)}></textarea>`,
};

function addressed(field, value, set, { id, wrong, path }) {
  const line = lineOf(value);
  if (line === null) return html`<input id=${id} disabled value="as the JSON has it">`;
  const write = (event) => {
    const given = orGone(addressesOf(event.target.value));
    typed.set(path, { text: event.target.value, value: JSON.stringify(given) });
    set(given);
  };
  return html`<input id=${id} .value=${live(asTyped(path, value, line))} autocomplete="off" spellcheck="false" aria-invalid=${wrong}
    placeholder=${field.kind === "addresses" ? "ann@example.org, Bob <bob@example.org>" : "Shop <post@example.org>"} @input=${write}>`;
}

function setParsed(path, element, set) {
  try {
    const value = element.value.trim() ? JSON.parse(element.value) : undefined;
    typed.set(path, { text: element.value, value: JSON.stringify(value) });
    element.setCustomValidity("");
    set(value);
  } catch (error) {
    element.setCustomValidity(error.message); // the message keeps its last readable value
  }
}

function local(value) {
  const time = new Date(value ?? NaN);
  return Number.isNaN(time.getTime()) ? "" : withZone(time).slice(0, 19);
}

function group(field, value, set, bad, hints, path) {
  const put = (name, given) => {
    const { [name]: _, ...rest } = value;
    const whole = given === undefined ? rest : { ...rest, [name]: given };
    set(Object.keys(whole).length ? whole : undefined);
  };
  return html`<fieldset class="field"><legend>${title(field.name)}</legend>
    ${field.fields.map((one) => formField(one, value[one.name], (given) => put(one.name, given), bad, hints, `${path}.${one.name}`))}
  </fieldset>`;
}

function files(value, set) {
  const all = Array.isArray(value) ? value : [];
  const without = (n) => set(all.length > 1 ? all.filter((_, at) => at !== n) : undefined);
  return html`${all.map((one, n) => html`<p class="file-row"><code>${one?.filename}</code>
      <span class="soft">${one?.content ? size(Math.floor(one.content.length * 0.75)) : one?.s3 ? "in S3" : ""}</span>
      <button type="button" class="small" aria-label="Take out ${one?.filename}" @click=${() => without(n)}>Take out</button></p>`)}
    <label class="button small">Add files<input type="file" multiple class="unseen" @change=${(event) => add(event.target, all, set)}></label>`;
}

async function add(input, all, set) {
  const read = (file) =>
    new Promise((done) => {
      const reader = new FileReader();
      reader.onload = () => done({ filename: file.name, content: reader.result.split(",")[1] ?? "" });
      reader.readAsDataURL(file);
    });
  const added = await Promise.all([...input.files].map(read));
  input.value = "";
  if (added.length) set([...all, ...added]);
}
