// Part 4: what could not be sent, by what is wrong with it.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { repeat } from "../../vendor/lit-html/directives/repeat.js";
import { Answer } from "../answer.js";
import { get, query } from "../api.js";
import { changed } from "../draw.js";
import { onNews, relay, writes } from "../relay.js";
import { link, route } from "../route.js";
import { shape } from "../shapes.js";
import { count } from "../size.js";
import { when } from "../time.js";
import { wrong } from "../wrong.js";
import { enterLetter, letter } from "./letter.js";
import { chosen, choose, discard, moved, redrive } from "./moving.js";

const letters = new Answer();
let groups = []; // of all letters: those that an open group leaves out, too
let counted = false; // whether no news has come since then

export const dead = { name: "dead", key: "d", title: "Dead letters", short: "Dead", enter, view, up };

/** Back from a letter to its group. */
function up({ choice: { email: _, ...choice } }) {
  return link("dead", "", choice);
}

function enter({ id, choice }) {
  load(choice);
  enterLetter(id, choice.email);
}

async function load(choice = route().choice) {
  const { reason = "", path = "" } = choice;
  if (!(await letters.load((signal) => get(`/api/dead${query({ reason, path })}`, signal)))) return;
  const known = counted;
  counted = true;
  if (!reason && !path) groups = letters.data.groups;
  else if (!known) groups = (await get("/api/dead").catch(() => ({ groups }))).groups;
  changed();
}

function again() {
  counted = false;
  if (route().part === "dead") load();
}
onNews("dead", again);
onNews("live", again);

function view({ id, choice }) {
  const found = letters.data;
  if (found && !found.seen && !found.hidden && !id) return html`${last()} ${wrong(letters.error, again)} ${none()}`;
  return html`<div class="split ${id ? "open" : ""}">
    <section class="side" aria-label="Dead letters">
      <h1 class="unseen">Dead letters</h1>
      ${id ? nothing : last()}
      ${wrong(letters.error, again)} ${found ? sorted(choice) : html`<p class="none">Looking at the letters …</p>`}
      ${found ? list(found, id, choice) : nothing}
    </section>
    <section class="pane" aria-label="Dead letter">
      ${id ? html`${last()}${letter(id, up({ choice }))}` : overview(choice)}
    </section>
  </div>`;
}

const last = () => moved(relay.about.commands.ionctl);

const none = () => html`<section class="blank">
  <h1>No dead letters.</h1>
  <p class="large">What ion can't send ends here, with the reason and the server's words, until you send it back.</p>
  <p>On the local stack <code>bounce@simulator.test</code> is refused for good: <a href=${link("publish", "bounce")}>publish to it</a> to see one.</p>
</section>`;

/** The groups, as what narrows the list. */
function sorted({ reason = "", path = "" }) {
  const all = !reason && !path;
  return html`<nav class="groups" aria-label="By reason and path">
    <a class="group" href=${link("dead")} aria-current=${all ? "true" : nothing}><b>All</b></a>
    ${groups.map((group) => html`<a class="group" href=${link("dead", "", { reason: group.reason, path: group.path })}
      aria-current=${group.reason === reason && group.path === path ? "true" : nothing}>
      <b>${group.reason}</b> ${group.path ? html`<code>${group.path}</code>` : nothing} <span class="n">${group.count}</span>
    </a>`)}
  </nav>`;
}

function list(found, id, choice) {
  const ids = found.letters.map((one) => one.message_id);
  const picked = ids.filter((one) => chosen.has(one));
  return html`${writes() && ids.length ? picker(ids, picked) : nothing}
    ${found.hidden ? html`<p class="banner plain">About ${count(found.hidden, "letter")} can't be looked at: somebody else has received them, and they are back within two minutes.</p>` : nothing}
    <ul class="rows">${repeat(found.letters, (one) => one.message_id, (one) => row(one, id, choice))}</ul>
    ${found.chosen > ids.length ? html`<p class="soft none">The newest ${ids.length} of ${found.chosen}.</p>` : nothing}`;
}

function picker(ids, picked) {
  const all = picked.length === ids.length;
  return html`<div class="bar">
    <label class="check"><input type="checkbox" .checked=${all} .indeterminate=${picked.length > 0 && !all}
      @change=${(event) => choose(ids, event.target.checked)}> ${picked.length ? `${picked.length} chosen` : "All shown"}</label>
    <button type="button" class="small" ?disabled=${!picked.length} @click=${() => redrive(picked, again)}>Redrive</button>
    <button type="button" class="small" ?disabled=${!picked.length} @click=${() => discard(picked, again)}>Discard …</button>
  </div>`;
}

function row(one, id, choice) {
  const open = one.message_id === id;
  return html`<li class="pickable">
    ${writes() ? html`<input type="checkbox" aria-label="Choose the letter to ${one.recipients.join(", ") || "nobody"}" .checked=${chosen.has(one.message_id)}
      @change=${(event) => choose([one.message_id], event.target.checked)}>` : nothing}
    <a class="row dead-row" data-row href=${link("dead", one.message_id, choice)} aria-current=${open ? "true" : nothing}>
      <span class="who">${one.recipients.join(", ") || html`<i>can't be read</i>`}</span>
      ${when(one.died_at ?? one.first_queued_at)}
      <span class="subject">${one.subject || (one.action === "send" ? "(no subject)" : one.action)}</span>
      <b class="reason">${one.reason}</b>
    </a>
  </li>`;
}

function overview({ reason = "", path = "" }) {
  const shown = reason || path ? groups.filter((one) => one.reason === reason && (!path || one.path === path)) : groups;
  return html`<div class="overview">
    <h2>${count(shown.reduce((sum, one) => sum + one.count, 0), "dead letter")}</h2>
    ${shown.map((group) => html`<section class="group-card">
      <h3>${shape("cross")} ${group.reason} ${group.path ? html`<code>${group.path}</code>` : nothing} <span class="n">${group.count}</span></h3>
      ${group.hint ? html`<p>What would be right: ${group.hint}</p>` : nothing}
      ${group.remedy ? html`<p>What to do: ${group.remedy}</p>` : nothing}
      <p class="soft"><span>From ${when(group.oldest_at)} to ${when(group.newest_at)}</span>
        ${writes() ? html`<button type="button" class="small" @click=${() => redrive(group, again)}>Redrive all ${group.count}</button>` : nothing}
      </p>
    </section>`)}
  </div>`;
}
