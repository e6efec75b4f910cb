// How the relay is, in words, over all parts.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { relay } from "./relay.js";
import { shape, VERDICTS } from "./shapes.js";
import { when } from "./time.js";

export function strip() {
  const { status, about, unseen } = relay;
  if (unseen && relay.live) return outOfTouch(`The relay can't be looked at (${unseen}), and is tried again.`);
  if (!status) return html`<div class="strip plain">${relay.error ? "" : "Asking how the relay is …"}</div>`;
  if (!relay.live) return outOfTouch("The console doesn't answer, and is asked again.");
  const [sign, tone, word] = VERDICTS[status.verdict] ?? ["dots", "plain", status.verdict];
  return html`<section class="strip ${tone}" aria-label="How the relay is">
    <strong class="verdict">${shape(sign)} ${word}</strong>
    <span class="words">${status.words}</span>
    ${where(about)}
  </section>`;
}

/** What was said last may be true no more, so it has no colour. */
const outOfTouch = (why) => html`<section class="strip warn" aria-label="How the relay is">
  <strong class="verdict">${shape("dots")} Out of touch</strong>
  <span class="words" role="status">${why}${relay.status ? html` At ${when(relay.status.at)}: ${relay.status.words}` : nothing}</span>
  ${where(relay.about)}
</section>`;

const where = (about) => html`<span class="where">
      ${about.write ? nothing : html`<span class="badge" title="ionctl console --write can change things">read-only</span>`}
      <span class="relay-name">${about.name}</span>
      <span class="region">${about.local ? "on this machine" : about.region}</span>
    </span>`;
