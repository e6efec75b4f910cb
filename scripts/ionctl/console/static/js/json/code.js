// JSON with its parts coloured, its lines numbered, and what is wrong marked.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { tokens } from "./tokens.js";

const MOST_COLOURED = 60_000; // characters: beyond, each key typed would be felt

/** @param {{start: number, end: number}[]} marks what is wrong */
export function code(text, marks = []) {
  return html`<pre class="code" tabindex="0" aria-label="JSON">${inked(text, marks)}</pre>`;
}

/**
 * A field to write JSON in: a transparent one over the coloured text, which grows with it.
 * @param {{text: string, marks: any[], label: string, id: string, onInput: (text: string) => void}} field
 */
export function editor({ text, marks, label, id, onInput }) {
  return html`<div class="code editor">
    <pre aria-hidden="true">${inked(text, marks)}${"\n"}</pre>
    <textarea id=${id} aria-label=${label} spellcheck="false" autocapitalize="off" autocomplete="off"
      .value=${text} @input=${(event) => onInput(event.target.value)}></textarea>
  </div>`;
}

function inked(text, marks) {
  const parts = text.length > MOST_COLOURED ? [{ kind: "plain", text, start: 0 }] : tokens(text);
  return parts.flatMap((token) => cut(token, marks));
}

/** A token, in pieces where a mark begins or ends within it. */
function cut({ kind, text, start }, marks) {
  const end = start + text.length;
  const mark = marks.find((one) => one.start < end && one.end > start);
  if (!mark) return [piece(kind, text)];
  const from = Math.max(mark.start - start, 0);
  const to = Math.min(mark.end - start, text.length);
  return [
    from ? piece(kind, text.slice(0, from)) : nothing,
    html`<mark>${piece(kind, text.slice(from, to))}</mark>`,
    to < text.length ? piece(kind, text.slice(to)) : nothing,
  ];
}

const piece = (kind, text) => (kind === "space" || kind === "plain" ? text : html`<span class="j-${kind}">${text}</span>`);
