// Errors, shown where they happen.
import { html, nothing } from "../vendor/lit-html/lit-html.js";

/** @param {Error | null} error what to say. @param {(() => void) | null} again tries once more. */
export function wrong(error, again = null) {
  if (!error) return nothing;
  return html`<div class="wrong" role="alert">
    <p>${error.message}</p>
    ${again ? html`<button type="button" class="small" @click=${again}>Try again</button>` : nothing}
  </div>`;
}
