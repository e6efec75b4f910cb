// Emails to an address: what the part Email shows of one.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { STATES } from "../states.js";
import { link } from "../route.js";
import { shape } from "../shapes.js";
import { count } from "../size.js";
import { when } from "../time.js";

/** Show the list; `scan` is called for a look through the whole ledger. */
export function emails(found, scan) {
  return html`<article class="life">
    <h2>${found.emails.length ? count(found.emails.length, "email") : "No email"} to ${found.address}</h2>
    ${found.suppressions.map(suppressed)}
    ${found.emails.length ? html`<ul class="rows boxed">${found.emails.map(line)}</ul>` : nothing}
    <p class="soft">In the log since ${when(found.looked_back_to)}${
      found.scanned == null
        ? html`. <button type="button" class="small" @click=${scan}>Look through the whole ledger</button>`
        : html`, and among all ${count(found.scanned, "row")} of the ledger.`
    }</p>
    ${found.unknown.length ? html`<ul class="unknown">${found.unknown.map((words) => html`<li>${words}</li>`)}</ul>` : nothing}
  </article>`;
}

const suppressed = (one) => html`<p class="warn-text">${shape("triangle")} ${
  one.scope === "erased"
    ? html`Erased at ${when(one.since)}: what was published before isn't sent to it.`
    : html`Suppressed: ${one.scope === "all" ? "all mail" : one.scope}, since ${when(one.since)} (${one.why})${one.until ? html`, until ${when(one.until)}` : nothing}.`
}</p>`;

function line(one) {
  const [sign, tone, word] = STATES[one.state] ?? ["dots", "plain", one.state];
  const about = [one.fate && one.fate !== one.state ? `this recipient: ${one.fate.replaceAll("_", " ")}` : "", one.state === "sent" ? "" : one.reason, one.queue && `in the ${one.queue} queue`];
  return html`<li><a class="row line-row found" data-row href=${link("email", one.email_id)}>
    <b class="stands ${tone}">${shape(sign)} ${word}</b> <code>${one.email_id}</code>
    <span class="grow soft">${about.filter(Boolean).join(", ")}</span> ${when(one.at)}
  </a></li>`;
}
