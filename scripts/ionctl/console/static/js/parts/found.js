// Emails to an address: what the part Email shows of one.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { post } from "../api.js";
import { question } from "../dialog.js";
import { changed } from "../draw.js";
import { say } from "../news.js";
import { writes } from "../relay.js";
import { link } from "../route.js";
import { shape } from "../shapes.js";
import { count } from "../size.js";
import { STATES } from "../states.js";
import { when } from "../time.js";
import { wrong } from "../wrong.js";

/** What went wrong with the last change of the suppression list. */
let failed = null;

/** Show the list; `scan` is called for a look through the whole ledger, `again` when something has changed. */
export function emails(found, scan, again) {
  return html`<article class="life">
    <h2>${found.emails.length ? count(found.emails.length, "email") : "No email"} to ${found.address}</h2>
    ${wrong(failed)} ${found.suppressions.map((one) => suppressed(one, found.address, again))}
    ${writes() ? html`<p><button type="button" class="small" @click=${() => suppress(found.address, again)}>Write to it no more …</button></p>` : nothing}
    ${found.emails.length ? html`<ul class="rows boxed">${found.emails.map(line)}</ul>` : nothing}
    <p class="soft">In the log since ${when(found.looked_back_to)}${
      found.scanned == null
        ? html`. <button type="button" class="small" @click=${scan}>Look through the whole ledger</button>`
        : html`, and among all ${count(found.scanned, "row")} of the ledger.`
    }</p>
    ${found.unknown.length ? html`<ul class="unknown">${found.unknown.map((words) => html`<li>${words}</li>`)}</ul>` : nothing}
  </article>`;
}

const suppressed = (one, address, again) => html`<p class="warn-text">${shape("triangle")} ${
  one.scope === "erased"
    ? html`Erased at ${when(one.since)}: what was published before isn't sent to it.`
    : html`Suppressed: ${one.scope === "all" ? "all mail" : one.scope}, since ${when(one.since)} (${one.why})${one.until ? html`, until ${when(one.until)}` : nothing}.
        ${writes() ? html`<button type="button" class="small" @click=${() => change("/api/unsuppress", { address, scope: one.scope }, again)}>Take it off</button>` : nothing}`
}</p>`;

async function suppress(address, again) {
  const fields = html`<label class="stacked">Which mail: all, domain:example.com (of From) or tag:NAME=VALUE
    <input name="scope" value="all" required autocomplete="off" spellcheck="false"></label>`;
  const words = html`No such mail goes to ${address} until somebody takes it off the list.`;
  const given = await question({ title: "Write to it no more?", words, fields, verb: "Suppress", danger: true });
  if (given) await change("/api/suppress", { address, scope: given.scope }, again);
}

async function change(path, body, again) {
  try {
    say((await post(path, body)).words, "good");
    failed = null;
    await again();
  } catch (error) {
    failed = error;
  }
  changed();
}

function line(one) {
  const [sign, tone, word] = STATES[one.state] ?? ["dots", "plain", one.state];
  const reason = one.email_state === "sent" ? "" : one.reason;
  const whole = one.email_state === one.state ? "" : (STATES[one.email_state]?.[2] ?? one.email_state).toLowerCase();
  const about = [whole ? `the email: ${whole} ${reason}`.trim() : reason, one.queue && `in the ${one.queue} queue`];
  return html`<li><a class="row line-row found" data-row href=${link("email", one.email_id)}>
    <b class="stands ${tone}">${shape(sign)} ${word}</b> <code>${one.email_id}</code>
    <span class="grow soft">${about.filter(Boolean).join(", ")}</span> ${when(one.at)}
  </a></li>`;
}
