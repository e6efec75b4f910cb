// Part 2: the life of one email, in words.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { Answer } from "../answer.js";
import { at, get, post, query } from "../api.js";
import { question } from "../dialog.js";
import { changed } from "../draw.js";
import { say } from "../news.js";
import { onNews, writes } from "../relay.js";
import { go, link, route } from "../route.js";
import { shape } from "../shapes.js";
import { STATES } from "../states.js";
import { count } from "../size.js";
import { from, span, when } from "../time.js";
import { wrong } from "../wrong.js";
import { emails } from "./found.js";

const CAN_BE_CANCELLED = ["queued", "scheduled", "deferred", "never_seen"];
const GOOD = ["sent", "done", "delivered"];
const BAD = ["dead_lettered", "bounced", "expired", "complained"];
const UNDER_WAY = ["queued", "sending"];
const AGAIN_MS = 3000;
const LATE_MS = 180_000; // by so much a log may be late

const life = new Answer();
let asked = "";
let scanned = "";
let timer;

export const email = { name: "email", key: "e", title: "Email", enter, view };

function enter({ id, choice }) {
  if (id !== asked) life.clear();
  asked = id;
  scanned = choice.scan ?? "";
  if (id) load().then(soon);
}

const load = () => life.load((signal) => get(at`/api/emails/${asked}` + query({ scan: scanned }), signal));

/** The stream says that something has changed, not what: an email without a fate is asked again. */
onNews("status", soon);
onNews("dead", soon); // its letter may have gone, or have come back under another id

function soon() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (route().part !== "email" || !asked || scanned || settled()) return;
    await load();
    if (UNDER_WAY.includes(life.data?.state) || (sent() && !settled())) soon();
  }, AGAIN_MS);
}

const sent = () => life.data?.state === "sent";
/** The log has a run's lines when the run has ended: until then an email that was sent lacks its own. */
const settled = () =>
  ["cancelled", "suppressed", "bounced"].includes(life.data?.state) ||
  (sent() && (logged(life.data, "sent") || Date.now() - new Date(life.data.changed_at) > LATE_MS));
const logged = (one, what) => one.events.some((event) => event.what === what);

function view({ id }) {
  return html`<div class="sheet">
    <form class="ask" role="search" @submit=${find}>
      <h1>Email</h1>
      <label class="field-search">
        ${shape("search")}<span class="unseen">Its id, or an address</span>
        <input name="key" data-search .value=${id} autocomplete="off" spellcheck="false"
          placeholder="email_id, address, or any id of it">
      </label>
      <button class="main">Find</button>
    </form>
    ${wrong(life.error, load)} ${id && life.data ? answered(id) : hint(id)}
  </div>`;
}

/** An address has a list of emails, an id one. */
const answered = (id) =>
  life.data.emails ? emails(life.data, () => go(link("email", id, { scan: "1" })), load) : shown(life.data);

function hint(id) {
  if (life.error) return nothing;
  if (id) return html`<p class="none">Looking in the ledger, the log and the queues …</p>`;
  return html`<p class="none">
    An email's whole way, from the queue to the mail server's reply: by the <code>email_id</code> that it was
    published with; by the id that SQS, SNS, the mail server or its header Message-ID has; or all emails
    to a recipient's address.
  </p>`;
}

function find(event) {
  event.preventDefault();
  const key = new FormData(event.target).get("key").trim();
  if (!key) return;
  if (key === asked) load();
  else go(link("email", key));
}

function shown(one) {
  const [sign, tone, word] = STATES[one.state] ?? ["dots", "plain", one.state];
  return html`<article class="life">
    <header class="state ${tone}">
      <h2>${shape(sign)} ${word}</h2>
      <p class="large">${one.words}</p>
      <dl class="facts">
        <dt>Id</dt><dd><code>${one.email_id || asked}</code></dd>
        ${sent() && one.changed_at ? html`<dt>Sent</dt><dd>${when(one.changed_at)}${took(one)}</dd>` : nothing}
        ${sent() && one.server ? html`<dt>Server</dt><dd>${one.server}</dd>` : nothing}
        ${one.next_try ? html`<dt>Next try</dt><dd>${from(one.next_try)} <span class="soft">(${when(one.next_try)})</span></dd>` : nothing}
        ${one.attempts ? html`<dt>Attempts</dt><dd>${one.attempts}</dd>` : nothing}
        ${sent() && one.reply ? html`<dt>Its reply</dt><dd>${one.reply}</dd>` : nothing}
        ${one.provider_id ? html`<dt>Its id there</dt><dd><code>${one.provider_id}</code></dd>` : nothing}
        ${one.header_message_id ? html`<dt>Message-ID</dt><dd><code>${one.header_message_id}</code></dd>` : nothing}
      </dl>
      ${writes() && CAN_BE_CANCELLED.includes(one.state) ? html`<button type="button" class="small" @click=${cancel}>Cancel it</button>` : nothing}
    </header>
    ${fates(one)} ${letters(one)} ${timeline(one)}
  </article>`;
}

function fates(one) {
  if (one.fates.length < 2) return nothing;
  const names = one.letters[0]?.recipients ?? [];
  return html`<h3>${count(one.fates.length, "recipient")}</h3>
    <ol class="fates">
      ${one.fates.map((fate, n) => html`<li class=${fate}><span>${names[n] ?? `recipient ${n + 1}`}</span> <b>${fate.replaceAll("_", " ")}</b></li>`)}
    </ol>`;
}

function letters(one) {
  if (!one.letters.length) return nothing;
  return html`<h3>In the dead-letter queue</h3>
    <ul class="rows boxed">
      ${one.letters.map((letter) => html`<li><a class="row line-row" data-row href=${link("dead", letter.message_id, { email: one.email_id })}>
        <b class="reason">${letter.reason}</b> <code>${letter.path}</code> <span class="grow">${letter.reply || letter.hint}</span>
      </a></li>`)}
    </ul>`;
}

/** How long it was on its way; without that it was scheduled, or waited for something. */
function took({ queued_at: from, changed_at: to }) {
  const seconds = (new Date(to) - new Date(from)) / 1000;
  return from && seconds >= 1 ? html` <span class="soft">${span(seconds)} after it was queued</span>` : nothing;
}

/** What the log has, and of what it hasn't, or not yet, what the ledger knows. */
function events(one) {
  const known = { reason: "", stage: "", reply: "", server: "", recipients: [] };
  const queued = one.queued_at ? [{ ...known, at: one.queued_at, what: "queued", words: "Queued" }] : [];
  const taken =
    one.state === "sent" && one.changed_at && !logged(one, "sent")
      ? [{ ...known, at: one.changed_at, what: "sent", words: `Taken by ${one.server || "the mail server"}`, reply: one.reply }]
      : [];
  return [...queued, ...one.events, ...taken];
}

function timeline(one) {
  const all = events(one);
  if (!all.length) return html`<p class="soft">The log since ${when(one.looked_back_to)} has nothing of it.</p>`;
  return html`<h3>What happened</h3>
    <ol class="timeline">
      ${all.map(happened)}
      ${one.next_try ? html`<li class="next"><span class="what">The next try is ${from(one.next_try)}.</span></li>` : nothing}
    </ol>
    <p class="soft">Of the ledger, and of the log since ${when(one.looked_back_to)}.</p>`;
}

function happened(event) {
  const tone = GOOD.includes(event.what) ? "good" : BAD.includes(event.what) ? "bad" : "";
  return html`<li class=${tone}>
    ${when(event.at)}
    <span class="what">${event.words}
      ${event.recipients.length ? html`<span class="soft">(${event.recipients.map((n) => `recipient ${n + 1}`).join(", ")})</span>` : nothing}
    </span>
    ${event.reply ? html`<q class="reply">${event.reply}</q>` : nothing}
    ${event.reason || event.server ? html`<span class="soft small-text">${[event.reason, event.stage, event.server, event.attempt && `attempt ${event.attempt}`, event.ms && `${event.ms.toLocaleString("en")} ms`].filter(Boolean).join(" · ")}</span>` : nothing}
  </li>`;
}

async function cancel() {
  const words = html`It isn't sent, unless it is under way already. It stays cancelled for 30 days.`;
  if (!(await question({ title: "Cancel this email?", words, verb: "Cancel it", danger: true }))) return;
  try {
    say((await post("/api/cancel", { email_id: life.data.email_id || asked })).words, "good");
    await load();
  } catch (error) {
    life.error = error;
    changed();
  }
}
