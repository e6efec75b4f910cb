// One dead letter: why it is one, its body with the bad place marked, and the way back.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { Answer } from "../answer.js";
import { at, get, post } from "../api.js";
import { changed } from "../draw.js";
import { code, editor } from "../json/code.js";
import { Check, faultList, marksOf } from "../json/faults.js";
import { place } from "../json/place.js";
import { indented } from "../json/tokens.js";
import { say } from "../news.js";
import { writes } from "../relay.js";
import { go, link } from "../route.js";
import { shape } from "../shapes.js";
import { when } from "../time.js";
import { wrong } from "../wrong.js";
import { discard, redrive } from "./moving.js";

const opened = new Answer();
const check = new Check();
const FIELD = "letter-body";
let asked = null; // the id of the letter whose answer is here or on its way
let draft = null; // the body being edited; null: it is read
let sending = null; // its error

/** @param {string} [email] the key of its email, by which it is found under another id. */
export function enterLetter(id, email) {
  if (!id || (asked === id && draft !== null)) return;
  if (asked !== id) draft = sending = null;
  const key = email || (opened.data?.message_id === id && opened.data.email_id);
  asked = id;
  opened.load(async (signal) => {
    try {
      return await get(at`/api/dead/${id}`, signal);
    } catch (error) {
      if (key && error.status === 409) await follow(id, key, signal);
      throw error;
    }
  });
}

/** A letter that was put back, by restore for instance, has another id: go there. */
async function follow(id, key, signal) {
  const { letters } = await get(at`/api/emails/${key}`, signal);
  const now = letters.at(-1)?.message_id;
  if (!now || now === id || asked !== id) return;
  say("The letter was taken away and put back: it has another id now.");
  go(link("dead", now, { email: key }), { replace: true });
}

export function letter(id, up) {
  const one = opened.data;
  const back = html`<a class="back" href=${up}>${shape("left")} Dead letters</a>`;
  if (one?.message_id !== id) return html`${back}${opened.error ? wrong(opened.error) : html`<p class="none">Opening …</p>`}`;
  if (opened.error)
    return html`${back}${wrong(opened.error)}
      ${one.email_id ? html`<p class="none">The letter that was here is not in the queue any more. <a href=${link("email", one.email_id)}>What became of its email</a></p>` : nothing}`;
  return html`<article class="reading">
    ${back}
    <header>
      <h2 class="bad-text">${shape("cross")} ${one.reason} ${one.path ? html`<code>${one.path}</code>` : nothing}</h2>
      ${one.hint ? html`<p class="large">What would be right: ${one.hint}</p>` : nothing}
      ${one.did_you_mean ? html`<p class="large">Did you mean <code>${one.did_you_mean}</code>?</p>` : nothing}
      ${one.reply ? html`<q class="reply">${one.reply}</q>` : nothing}
      ${one.remedy ? html`<p class="large">What to do: ${one.remedy}</p>` : nothing}
      ${facts(one)} ${writes() && draft === null ? actions(one, up) : nothing}
    </header>
    ${draft === null ? read(one) : edit(one)}
  </article>`;
}

function facts(one) {
  const fact = (name, value) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : nothing);
  return html`<dl class="facts">
    ${fact("To", one.recipients.join(", "))}
    ${fact("Not served", one.left.length && one.left.length < one.recipients.length ? one.left.map((n) => one.recipients[n]).join(", ") : "")}
    ${fact("Subject", one.subject)}
    ${fact("Id", one.email_id && html`<a href=${link("email", one.email_id)}><code>${one.email_id}</code></a>`)}
    ${fact("Tags", Object.entries(one.tags).map((tag) => tag.join("=")).join(", "))}
    ${fact("Dead-lettered", one.died_at && when(one.died_at))} ${fact("Queued", when(one.first_queued_at))}
    ${fact("Attempts", one.attempts && `${one.attempts}${one.redrives ? `, redriven ${one.redrives} times` : ""}`)}
  </dl>`;
}

function actions(one, up) {
  const left = () => go(up);
  return html`<p class="actions">
    <button type="button" class="main" @click=${() => begin(one)}>Edit and resend</button>
    <button type="button" @click=${() => redrive([one.message_id], left)}>Redrive as it is</button>
    <button type="button" @click=${() => discard([one.message_id], left)}>Discard …</button>
  </p>`;
}

/** Published JSON is often one long line; it is shown with a line for each value. */
const shown = (one) => (one.body.includes("\n") || !/^\s*[{[]/.test(one.body) ? one.body : indented(one.body));

function read(one) {
  const text = shown(one);
  const bad = place(text, one.path);
  return html`<h3>Body ${bad ? html`<span class="soft">marked: <code>${one.path}</code>, line ${bad.line}, column ${bad.column}</span>` : nothing}</h3>
    ${code(text, bad ? [bad] : [])}`;
}

function begin(one) {
  draft = shown(one);
  check.of(draft);
  changed();
  requestAnimationFrame(() => document.getElementById(FIELD)?.focus({ preventScroll: true }));
}

function edit(one) {
  const checked = check.about(draft);
  return html`<h3>Edit <span class="soft">sent under the same id; those who have the email don't get it again</span></h3>
    ${editor({ text: draft, marks: marksOf(draft, checked?.faults ?? []), label: "Body, as JSON", id: FIELD, onInput: typed })}
    ${faultList(draft, checked, FIELD)} ${wrong(check.error)} ${wrong(sending)}
    <p class="actions">
      <button type="button" class="main" ?disabled=${!checked?.ok} @click=${() => resend(one)}>Resend</button>
      <button type="button" @click=${leave}>Leave it</button>
    </p>`;
}

function typed(text) {
  draft = text;
  check.of(text);
  changed();
}

function leave() {
  draft = sending = null;
  changed();
}

async function resend(one) {
  try {
    const edited = await post(at`/api/dead/${one.message_id}/edit`, { body: draft });
    say(edited.words, "good");
    draft = sending = null;
    go(link("email", edited.email_id));
  } catch (error) {
    sending = error;
  }
  changed();
}
