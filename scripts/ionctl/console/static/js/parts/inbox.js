// Part 1: what has arrived at the local mail server.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { Answer } from "../answer.js";
import { at, get, query, remove } from "../api.js";
import { question } from "../dialog.js";
import { changed } from "../draw.js";
import { say } from "../news.js";
import { onNews, relay, writes } from "../relay.js";
import { go, link, route } from "../route.js";
import { shape } from "../shapes.js";
import { count } from "../size.js";
import { when } from "../time.js";
import { wrong } from "../wrong.js";
import { opened, reading } from "./reading.js";

const LIMIT = 500; // all that the inbox keeps
const wide = matchMedia("(min-width: 60rem)");
const list = new Answer();
const seen = new Set(JSON.parse(sessionStorage.getItem("ion.seen") ?? "[]"));
let search = "";

export const inbox = { name: "inbox", key: "i", title: "Inbox", enter, view };

function enter({ id }) {
  load();
  if (!id) return;
  seen.add(id);
  sessionStorage.setItem("ion.seen", JSON.stringify([...seen]));
  opened.load((signal) => get(at`/api/inbox/${id}`, signal));
}

async function load() {
  const asked = `/api/inbox${query({ search, limit: LIMIT })}`;
  if (await list.load((signal) => get(asked, signal))) showFirst();
}

/** Where there is room beside the list, the newest email is open, so that the first is seen. */
function showFirst() {
  const { part, id } = route();
  const newest = list.data?.emails[0];
  if (wide.matches && newest && !id && (part === "inbox" || part === "")) {
    go(link("inbox", newest.id), { replace: true });
  }
}

onNews("inbox", () => {
  if (shown()) load();
});
onNews("live", () => {
  if (shown()) load();
});
const shown = () => ["inbox", ""].includes(route().part) && relay.about?.inbox;

function view({ id }) {
  const emails = list.data?.emails ?? [];
  if (list.data && !emails.length && !search && !id) return html`${wrong(list.error, load)} ${empty()}`;
  return html`<div class="split ${id ? "open" : ""}">
    <section class="side" aria-label="Emails">
      ${bar(emails)} ${wrong(list.error, load)}
      ${!emails.length && search && list.data ? html`<p class="none">None of the emails has “${search}” in its addresses or subject.</p>` : nothing}
      <ul class="rows">
        ${repeat(emails, (email) => email.id, (email) => row(email, id))}
      </ul>
    </section>
    <section class="pane" aria-label="Email">
      ${id ? reading(id) : html`<p class="none">Choose an email.</p>`}
    </section>
  </div>`;
}

function bar(emails) {
  return html`<div class="bar">
    <h1 class="unseen">Inbox</h1>
    <label class="field-search">
      ${shape("search")}<span class="unseen">Search the inbox</span>
      <input type="search" data-search placeholder="Search (/)" .value=${search} @input=${searched}>
    </label>
    <span class="soft">${count(search ? emails.length : (list.data?.count ?? 0), "email")}</span>
    ${writes() && emails.length ? html`<button type="button" class="small" @click=${clear}>Empty</button>` : nothing}
  </div>`;
}

function searched(event) {
  search = event.target.value;
  load();
}

async function clear() {
  const words = "The emails that have arrived are forgotten. Nothing else is: neither what waits nor the dead letters.";
  if (!(await question({ title: "Empty the inbox?", words, verb: "Empty it", danger: true }))) return;
  try {
    await remove("/api/inbox");
    say("The inbox is empty.", "good");
    go(link("inbox"));
    await load();
  } catch (error) {
    list.error = error;
    changed();
  }
}

function row(email, id) {
  const open = email.id === id;
  return html`<li>
    <a class="row mail ${seen.has(email.id) ? "" : "new"}" data-row href=${link("inbox", email.id)} aria-current=${open ? "true" : nothing}>
      <span class="who">${seen.has(email.id) ? nothing : html`<span class="unseen">New: </span>`}${email.to.join(", ") || email.recipients.join(", ")}</span>
      ${when(email.at)}
      <span class="subject">${email.subject || "(no subject)"}</span>
      <span class="marks">${worthAWord(email.marks).map(mark)}</span>
    </a>
  </li>`;
}

/** HTML with a text beside it is what an email is: only what is missing is said. */
function worthAWord(marks) {
  const rest = marks.filter((name) => name !== "html" && name !== "text");
  if (!marks.includes("html")) return ["text only", ...rest];
  return marks.includes("text") ? rest : ["HTML only", ...rest];
}

const mark = (name) =>
  name === "attachments"
    ? html`<span class="mark-icon" title="has attachments">${shape("clip")}<span class="unseen">attachments</span></span>`
    : html`<span class="tag">${name}</span>`;

function empty() {
  return html`<section class="blank">
    <h1>No email has arrived yet.</h1>
    <p class="large">Publish one, and it is here a moment later: topic, queue, Lambda, mail server, inbox.</p>
    <p class="actions"><a class="button main" href=${link("publish")}>Write an email</a></p>
    <p>
      Or let your application publish to <code>${relay.about.topic_arn}</code>. What doesn't come is in
      the <a href=${link("queue")}>queue</a>, or a <a href=${link("dead")}>dead letter</a> with its reason.
    </p>
  </section>`;
}
