// What is wrong with a message, said while it is written.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { post } from "../api.js";
import { changed } from "../draw.js";
import { offset, place } from "./place.js";

const PAUSE_MS = 250; // after the last key

/** Checks a text by the API, a moment after it was last changed. */
export class Check {
  result = null;
  error = null;
  #timer;
  #of = null;

  of(text) {
    if (text === this.#of) return;
    this.#of = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(text), PAUSE_MS);
  }

  /** Give the answer about this very text, or null while it is being asked for. */
  about(text) {
    return this.result?.text === text ? this.result.checked : null;
  }

  async #ask(text) {
    try {
      const checked = await post("/api/check", { body: text });
      if (text !== this.#of) return;
      this.result = { text, checked };
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    changed();
  }
}

/** Give the places in the text to mark. */
export const marksOf = (text, faults) =>
  faults.map((fault) => placeOf(text, fault)).filter((one) => one && one.end > one.start);

function placeOf(text, fault) {
  if (fault.path && fault.path !== "$") return place(text, fault.path);
  if (!fault.line) return null;
  const start = offset(text, fault.line, fault.column);
  return { start, end: start + 1, line: fault.line, column: fault.column };
}

/** The faults as a list; each leads to its place in the field of this id. */
export function faultList(text, checked, id) {
  if (!checked) return nothing;
  return html`<ul class="faults" aria-live="polite">
    ${checked.faults.map((fault) => {
      const at = placeOf(text, fault) ?? (fault.line ? fault : null);
      return html`<li class="bad">
        <b>${fault.reason}</b> ${fault.path ? html`<code>${fault.path}</code>` : nothing}
        <span>${fault.words}</span>
        ${at ? html`<button type="button" class="link" @click=${() => show(text, at, id)}>line ${at.line}, column ${at.column}</button>` : nothing}
      </li>`;
    })}
    ${checked.warnings.map((words) => html`<li class="warn">${words}</li>`)}
  </ul>`;
}

function show(text, at, id) {
  const field = document.getElementById(id);
  const start = at.start ?? offset(text, at.line, at.column);
  field.focus();
  field.setSelectionRange(start, at.end ?? start);
}
