// How the relay is, in words, over all parts.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { relay } from "./relay.js";
import { shape, VERDICTS } from "./shapes.js";

export function strip() {
  const { status, about } = relay;
  if (!status) return html`<div class="strip plain">${relay.error ? "" : "Asking how the relay is …"}</div>`;
  const [sign, tone, word] = VERDICTS[status.verdict] ?? ["dots", "plain", status.verdict];
  return html`<section class="strip ${tone}" aria-label="How the relay is">
    <strong class="verdict">${shape(sign)} ${word}</strong>
    <span class="words">${status.words}</span>
    <span class="where">
      ${about.write ? nothing : html`<span class="badge" title="ionctl console --write can change things">read-only</span>`}
      <span class="relay-name">${about.name}</span>
      <span class="region">${about.local ? "on this machine" : about.region}</span>
      ${relay.live ? nothing : html`<span class="badge bad" role="status">out of touch, trying again</span>`}
    </span>
  </section>`;
}
