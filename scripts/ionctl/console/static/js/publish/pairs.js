// Names with values, such as headers and tags, as rows of a form.
import { html } from "../../vendor/lit-html/lit-html.js";
import { live } from "../../vendor/lit-html/directives/live.js";
import { changed } from "../draw.js";

/** Rows by path: a row without a name yet has no place in the message. */
const drafts = new Map();

const whole = (rows) => Object.fromEntries(rows.filter(([name]) => name));
const same = (rows, value) => JSON.stringify(whole(rows)) === JSON.stringify(value ?? {});

function rowsOf(path, value) {
  const draft = drafts.get(path);
  return draft && same(draft, value) ? draft : Object.entries(value ?? {}).map(([name, one]) => [name, one ?? ""]);
}

export function pairs(path, value, set) {
  const rows = rowsOf(path, value);
  const write = (next) => {
    drafts.set(path, next);
    const given = whole(next);
    set(Object.keys(given).length ? given : undefined);
    changed();
  };
  const put = (n, at, text) => write(rows.map((row, m) => (m === n ? row.with(at, text) : row)));
  return html`${rows.map(([name, text], n) => html`<p class="pair">
      <input aria-label="Name" placeholder="name" .value=${live(name)} autocomplete="off" spellcheck="false" @input=${(event) => put(n, 0, event.target.value)}>
      <input aria-label="Value" placeholder="value" .value=${live(String(text))} autocomplete="off" @input=${(event) => put(n, 1, event.target.value)}>
      <button type="button" class="small" aria-label="Take out ${name || "the row"}" @click=${() => write(rows.filter((_, m) => m !== n))}>×</button>
    </p>`)}
    <button type="button" class="small" @click=${() => write([...rows, ["", ""]])}>Add one</button>`;
}
