// A part of Queue: what became of emails, as the local stack's outcome topic tells it.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { relay } from "../relay.js";
import { link } from "../route.js";
import { when } from "../time.js";

const GOOD = ["sent", "delivered"];
const BAD = ["bounced", "expired", "in_doubt", "complained"];

/** Nothing where the relay tells no events. */
export function outcomes() {
  if (!relay.outcomes) return nothing;
  return html`<h2>Events, as they come</h2>
    ${relay.outcomes.length ? html`<ul class="plain-list outcomes">${relay.outcomes.map(outcome)}</ul>` : html`<p class="soft">None yet.</p>`}`;
}

function outcome(event) {
  const tone = GOOD.includes(event.type) ? "good" : BAD.includes(event.type) ? "bad" : "";
  return html`<li>
    ${when(event.at)} <b class="stands ${tone}">${event.type.replaceAll("_", " ")}</b>
    <a class="grow" href=${link("email", event.email_id)}>${event.email_id}</a>
    <span class="soft" title=${event.reply}>${event.reason}</span>
  </li>`;
}
