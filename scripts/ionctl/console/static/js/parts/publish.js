// Part 5: a message as a form and as JSON, side by side, checked while it is written.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { Answer } from "../answer.js";
import { get, post } from "../api.js";
import { changed } from "../draw.js";
import { editor } from "../json/code.js";
import { Check, faultList, marksOf } from "../json/faults.js";
import { say } from "../news.js";
import { formField } from "../publish/form.js";
import { actionsOf } from "../publish/kinds.js";
import { snippets } from "../publish/snippets.js";
import { relay, writes } from "../relay.js";
import { link } from "../route.js";
import { size } from "../size.js";
import { wrong } from "../wrong.js";

const FIELD = "message";
const FIRST = ["recipient", "subject", "body_text", "body_html"];
const START = { action: "send", recipient: "ann@example.org", subject: "Hello from the console", body_text: "It works." };
const BOUNCE = { ...START, recipient: "bounce@simulator.test", subject: "Refused for good" };

const contract = new Answer();
const check = new Check();
let actions = null;
let text = JSON.stringify(START, null, 2);
let bulk = false;
let unchecked = false; // was published though ion would not take it
let published = null;
let failed = null;
let snippet = "AWS CLI";

export const publish = { name: "publish", key: "p", title: "Publish", enter, view };

async function enter({ id }) {
  if (id === "bounce") write(BOUNCE);
  if (!contract.data) {
    await contract.load((signal) => get("/api/contract", signal));
    if (contract.data) actions = actionsOf(contract.data.schema);
  }
  const example = contract.data?.examples.find((one) => one.name === id);
  if (example) put(example.body);
  check.of(text);
  changed();
}

function put(next) {
  text = next;
  published = failed = null;
  check.of(text);
  changed();
}

const write = (message) => put(JSON.stringify(message, null, 2));

/** The message as an object, or null where the text is none. */
function message() {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function view() {
  const now = message();
  const checked = check.about(text);
  return html`<div class="publish-page">
    <section class="form" aria-label="Form">
      <div class="title"><h1>Publish</h1> ${examples()}</div>
      ${wrong(contract.error, () => enter({}))}
      ${!actions ? nothing : now ? form(now, checked) : html`<p class="none">The JSON can't be read as a message yet, so the form waits for it.</p>`}
    </section>
    <section class="json" aria-label="JSON">
      <div class="title"><h2>JSON</h2><span class="soft">${size(new TextEncoder().encode(text).length)} of 256 KB</span></div>
      ${editor({ text, marks: marksOf(text, checked?.faults ?? []), label: "Message, as JSON", id: FIELD, onInput: put })}
      ${verdict(checked)} ${faultList(text, checked, FIELD)} ${wrong(check.error)} ${outcome(checked)} ${copies()}
    </section>
  </div>`;
}

function examples() {
  const all = contract.data?.examples ?? [];
  if (!all.length) return nothing;
  const pick = (event) => {
    const one = all.find(({ name }) => name === event.target.value);
    event.target.value = "";
    if (one) put(one.body);
  };
  return html`<span class="inline"><label for="examples">Examples</label>
    <select id="examples" @change=${pick}><option value="">choose one …</option>${all.map((one) => html`<option value=${one.name}>${one.title}</option>`)}</select>
  </span>`;
}

function form(now, checked) {
  const fields = actions[now.action]?.fields ?? [];
  const bad = new Set((checked?.faults ?? []).map((fault) => fault.path));
  const [first, more] = now.action === "send" ? [FIRST, fields.filter((one) => !FIRST.includes(one.name))] : [fields.map((one) => one.name), []];
  const shown = first.map((name) => fields.find((one) => one.name === name)).filter(Boolean);
  const field = (one) => formField(one, now[one.name] ?? undefined, (value) => set(one.name, value), bad, contract.data.hints ?? {});
  return html`<form @submit=${(event) => event.preventDefault()}>
    <div class="field"><label for="action">Action</label>
      <select id="action" @change=${(event) => write({ action: event.target.value })}>
        ${Object.keys(actions).map((name) => html`<option value=${name} .selected=${name === now.action}>${name}</option>`)}
        ${actions[now.action] ? nothing : html`<option value="" selected>${String(now.action ?? "not given")}</option>`}
      </select>
    </div>
    ${actions[now.action]?.about ? html`<p class="soft about">${actions[now.action].about.split("\n")[0]}</p>` : nothing}
    ${shown.map(field)}
    ${more.length ? html`<details><summary>${more.length} more fields <span class="soft">${more.filter((one) => now[one.name] != null).map((one) => one.name).join(", ")}</span></summary>${more.map(field)}</details>` : nothing}
  </form>`;
}

/** Write one field into the message; it is read anew, since it may have changed meanwhile. */
function set(name, value) {
  const { [name]: _, ...rest } = message() ?? {};
  if (value === undefined) write(rest);
  else write(name in (message() ?? {}) ? { ...message(), [name]: value } : { ...rest, [name]: value });
}

const verdict = (checked) =>
  checked
    ? html`<p class="verdict-line ${checked.ok ? "good" : "bad"}">${checked.ok ? "ion would take this message." : "ion would dead-letter this message."}</p>`
    : html`<p class="verdict-line soft">Checking …</p>`;

function outcome(checked) {
  if (!writes()) return nothing;
  return html`<p class="actions">
      <button type="button" class="main" @click=${() => send(Boolean(checked && !checked.ok))}>${checked && !checked.ok ? "Publish all the same" : "Publish"}</button>
      <label class="check"><input type="checkbox" .checked=${bulk} @change=${turnBulk}> by the topic for bulk</label>
    </p>
    ${wrong(failed)}
    ${published && !published.email_id ? html`<p class="done" role="status">Published. See the <a href=${link(unchecked ? "dead" : "queue")}>${unchecked ? "dead letters" : "queue"}</a>.</p>` : nothing}
    ${published?.email_id ? html`<p class="done" role="status">Published as <code>${published.email_id}</code>.
      <a href=${link("email", published.email_id)}>See its history</a>${relay.about.inbox ? html` or the <a href=${link("inbox")}>inbox</a>` : nothing}</p>` : nothing}`;
}

function turnBulk(event) {
  bulk = event.target.checked;
  changed();
}

async function send(asItIs) {
  try {
    published = await post("/api/publish", { body: text, bulk, as_it_is: asItIs });
    failed = null;
    unchecked = asItIs;
    say("Published.", "good");
  } catch (error) {
    failed = error;
  }
  changed();
}

function copies() {
  if (!relay.about) return nothing;
  const all = snippets(text, relay.about, bulk);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(all[snippet]);
      say("Copied.");
    } catch {
      say("The browser doesn't let the page copy: choose the text, and copy it by hand.", "bad");
    }
  };
  return html`<div class="copies"><div class="title"><h2 id="copies">The same as</h2>
      <div class="choices" role="group" aria-labelledby="copies">${Object.keys(all).map((name) => html`<button type="button" class="small" aria-pressed=${name === snippet}
        @click=${() => choose(name)}>${name}</button>`)}</div>
      <button type="button" class="small" @click=${copy}>Copy</button></div>
    <pre class="code" tabindex="0" aria-label="The same as ${snippet}">${all[snippet]}</pre></div>`;
}

function choose(name) {
  snippet = name;
  changed();
}
