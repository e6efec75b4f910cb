// One email that has arrived. Its HTML is in a sandboxed frame; all else is text.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { keyed } from "../../vendor/lit-html/directives/keyed.js";
import { Answer } from "../answer.js";
import { at, fetched } from "../api.js";
import { changed } from "../draw.js";
import { link } from "../route.js";
import { shape } from "../shapes.js";
import { count, size } from "../size.js";
import { when } from "../time.js";
import { wrong } from "../wrong.js";

const MOST_SHOWN = 200_000; // characters; the file has the rest

/** The email that is open, as /api/inbox/ID gives it. */
export const opened = new Answer();
const source = new Answer();
let tab = "html";
let phone = false;
let remoteOf = ""; // the email of which remote content is shown
let sourceOf = "";

export function reading(id) {
  const email = opened.data;
  if (opened.error && email?.id !== id) return html`${back()}${wrong(opened.error)}`;
  if (email?.id !== id) return html`${back()}<p class="none">Opening …</p>`;
  const tabs = tabsOf(email);
  const now = tabs.some(([name]) => name === tab) ? tab : tabs[0][0];
  return html`<article class="reading">
    ${back()}
    <header>
      <h2>${email.subject || "(no subject)"}</h2>
      <dl class="facts">
        <dt>From</dt><dd>${email.from}</dd>
        <dt>To</dt><dd>${email.to.join(", ") || "(nobody named)"}</dd>
        ${others(email)}
        <dt>Arrived</dt><dd>${when(email.at)} <span class="soft">${size(email.bytes)}</span></dd>
      </dl>
      <p class="actions">
        ${email.email_id ? html`<a class="button small" href=${link("email", email.email_id)}>Its history</a>` : nothing}
        <a class="button small" href=${at`/mail/${id}/source`} download="email.eml">Download</a>
      </p>
    </header>
    <div class="tabs" role="tablist" aria-label="The email as" @keydown=${turned}>
      ${tabs.map(([name, title]) => html`<button type="button" role="tab" id="tab-${name}" aria-controls="tab-panel"
        aria-selected=${name === now} tabindex=${name === now ? 0 : -1} @click=${() => choose(name)}>${title}</button>`)}
    </div>
    <div id="tab-panel" class="panel ${now}" role="tabpanel" aria-labelledby="tab-${now}" tabindex=${now === "html" ? nothing : 0}>
      ${PANELS[now](email)}
    </div>
  </article>`;
}

const back = () => html`<a class="back" href=${link("inbox")}>${shape("left")} Inbox</a>`;

function others(email) {
  const rest = email.recipients.filter((one) => !email.to.some((to) => to.includes(one)));
  return rest.length ? html`<dt>Envelope</dt><dd>${email.recipients.join(", ")}</dd>` : nothing;
}

const tabsOf = (email) =>
  [
    email.has_html && ["html", "HTML"],
    ["text", "Text"],
    ["headers", "Headers"],
    ["source", "Source"],
    email.attachments.length && ["files", count(email.attachments.length, "attachment")],
  ].filter(Boolean);

function choose(name) {
  tab = name;
  changed();
}

/** Left and right arrows turn the tabs (ARIA's pattern for tabs). */
function turned(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const all = [...event.currentTarget.children];
  const next = all[(all.indexOf(event.target) + by + all.length) % all.length];
  next.focus();
  next.click();
}

const PANELS = {
  html: framed,
  text: (email) => html`<pre class="letter">${clipped(email.text || "(no text part)")}</pre>`,
  headers: (email) => html`<dl class="headers">
    ${email.headers.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
  </dl>`,
  source: sourced,
  files: (email) => html`<ul class="files">
    ${email.attachments.map((file) => attachment(email, file))}
  </ul>`,
};

function framed(email) {
  const remote = remoteOf === email.id;
  const address = `${at`/mail/${email.id}/html`}?remote=${remote ? 1 : 0}`;
  return html`<div class="frame-bar">
      <label class="toggle"><input type="checkbox" .checked=${phone} @change=${turnPhone}>${shape("phone")} Phone width</label>
      ${email.remote ? remoteContent(email, remote) : html`<span class="soft">Nothing in it is fetched from elsewhere.</span>`}
    </div>
    <div class="frame ${phone ? "phone" : ""}">
      ${keyed(address, html`<iframe src=${address} title="The email's HTML" referrerpolicy="no-referrer"
        sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>`)}
    </div>`;
}

function remoteContent(email, shown) {
  const what = count(email.remote, "remote reference");
  if (shown) return html`<span class="soft">${what} shown: its sender may see that.</span>`;
  return html`<span class="soft">${what} blocked.</span>
    <button type="button" class="small" @click=${() => showRemote(email.id)}>Show remote content</button>`;
}

function showRemote(id) {
  remoteOf = id;
  changed();
}

function turnPhone(event) {
  phone = event.target.checked;
  changed();
}

function sourced(email) {
  if (sourceOf !== email.id) {
    sourceOf = email.id;
    source.clear();
    source.load(async (signal) => (await fetched(at`/mail/${email.id}/source`, { signal })).text());
  }
  if (source.error) return wrong(source.error);
  return html`<pre class="letter code-text">${clipped(source.data ?? "Opening …")}</pre>`;
}

function clipped(text) {
  if (text.length <= MOST_SHOWN) return text;
  return `${text.slice(0, MOST_SHOWN)}\n\n… and ${count(text.length - MOST_SHOWN, "character")} more: Download has it all.`;
}

const attachment = (email, file) => html`<li>
  ${shape("clip")}
  <a href=${at`/mail/${email.id}/attachments/${file.n}`} download=${file.filename || "attachment"}>${file.filename || "(no name)"}</a>
  <span class="soft">${file.content_type}, ${size(file.bytes)}${file.inline ? ", inline" : ""}</span>
</li>`;
