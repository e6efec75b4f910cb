// Part 3: what waits, why, and what operators have asked for.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { Answer } from "../answer.js";
import { get } from "../api.js";
import { onNews, relay, writes } from "../relay.js";
import { link, route } from "../route.js";
import { shape } from "../shapes.js";
import { count } from "../size.js";
import { from, span, when } from "../time.js";
import { wrong } from "../wrong.js";
import { outcomes } from "./outcomes.js";
import { pause, resume, resumed, steered, stop, wake } from "./steering.js";

const whole = new Answer();
const LANES = [
  ["input", "Normal", "goes first"],
  ["bulk", "Bulk", "when nothing normal is there, and one in ten beside it"],
  ["later", "Later", "deferred or scheduled: hidden until it is due"],
];

export const queue = { name: "queue", key: "q", title: "Queue", enter: load, view };

function load() {
  whole.load((signal) => get("/api/status", signal));
}

onNews("dead", () => route().part === "queue" && load());

function view() {
  const status = relay.status ?? whole.data;
  if (!status) return whole.error ? wrong(whole.error, load) : html`<p class="none">Looking at the queues …</p>`;
  return html`<div class="sheet queue">
    <div class="title"><h1>Queue</h1> ${writes() ? steering(status) : nothing}</div>
    ${wrong(steered.error)}
    ${status.held.map(held)} ${status.pauses.map(paused)} ${status.stops.map(stopped)} ${status.pace.filter((one) => one.learned).map(limited)}
    ${lanes(status)}
    <div class="columns">
      <div>${runs(status)} ${outcomes()}</div>
      <div>${reasons()} ${paces(status)} ${alarms(status)} ${unknown(status)}</div>
    </div>
  </div>`;
}

function steering(status) {
  const inForce = status.pauses.length + status.stops.length;
  return html`<div class="actions">
    <button type="button" @click=${pause}>Pause …</button>
    <button type="button" @click=${stop}>Stop …</button>
    <button type="button" ?disabled=${!inForce} @click=${resume}>Resume</button>
    <button type="button" @click=${wake} title="Run the function now, as the schedule would">Wake</button>
  </div>`;
}

const held = (one) => html`<section class="banner bad" aria-label="Held">
  <h2>${shape("triangle")} Held: ${one.server ? html`<code>${one.server}</code> lets nothing in` : "mail waits that should go"}</h2>
  <q class="reply">${one.reply || one.reason}</q>
  <p>
    <b>${one.reason}</b>${one.since ? html` since ${when(one.since)}` : nothing}.
    ${one.next_try ? html`ion asks again ${from(one.next_try)} (${when(one.next_try)}).` : "ion asks again at the next run."}
    Nothing is lost, and no attempt is counted.
  </p>
</section>`;

const paused = (one) => html`<section class="banner warn" aria-label="Paused">
  <h2>${shape("bars")} ${one.lane ? `${one.lane === "bulk" ? "Bulk" : "Normal"} mail is paused` : "Everything is paused"}</h2>
  <p>Until ${when(one.until)} (${from(one.until)}). ${asked(one)}
    ${one.lane ? end({ lane: one.lane }) : nothing}</p>
</section>`;

const stopped = (one) => html`<section class="banner warn" aria-label="Stopped">
  <h2>${shape("square")} Stopped: ${one.where ? html`<code>${conditions(one.where)}</code>` : "every email"}</h2>
  <p>
    Dead-lettered instead of sent until ${when(one.until)} (${from(one.until)}): ${count(one.stopped, "email")} so far.
    ${asked(one)} <a href=${link("dead", "", { reason: "STOPPED" })}>Those stopped</a>
    ${end({ stop_id: one.id })}
  </p>
</section>`;

/** Ends one order and leaves the others; a pause of everything is ended by Resume. */
const end = (what) => (writes() ? html`<button type="button" class="small" @click=${() => resumed(what)}>End it</button>` : nothing);

const asked = (one) => html`<span class="soft">Asked for by ${one.by || "nobody named"}${one.why ? html`: “${one.why}”` : nothing}.</span>`;

const conditions = (where) =>
  Object.entries(where)
    .map(([name, value]) => `${name} ${typeof value === "object" ? Object.entries(value).map((pair) => pair.join("=")).join(" ") : value}`)
    .join(", ");

const limited = (one) => html`<section class="banner plain" aria-label="Limited">
  <h2>${shape("dots")} ${one.server || "The server"} is limited to ${one.rate == null ? count(one.connections, "connection") : `${one.rate}/s`}${one.since ? html` since ${when(one.since)}` : nothing}</h2>
  <p>The server has asked for less. The rate goes up again by itself, a little each clean minute.</p>
</section>`;

function lanes({ queues, backlog_ends: ends, deferred, next_retry: next }) {
  return html`<div class="scroll">
    <table class="lanes">
      <thead><tr><th scope="col">Lane</th><th scope="col" class="n">Waiting</th><th scope="col" class="n">In flight</th><th scope="col" class="n">Later</th><th scope="col" class="n">Oldest</th></tr></thead>
      <tbody>
        ${LANES.map(([key, title, words]) => depth(queues[key], title, words))}
        ${depth(queues.dead_letter, html`<a href=${link("dead")}>Dead letters</a>`, "could not be sent; wait for a person")}
      </tbody>
    </table>
  </div>
  <p class="soft">
    ${ends ? html`At this pace all is gone ${from(ends)}.` : nothing}
    ${deferred ? html`${count(deferred, "email")} deferred in the last hour${next ? html`; the first is tried again ${from(next)}` : nothing}.` : nothing}
  </p>`;
}

const depth = (one, title, words) => html`<tr>
  <th scope="row">${title} <span class="soft">${words}</span></th>
  ${number(one.visible)} ${number(one.in_flight)} ${number(one.delayed)}
  <td class="n">${one.oldest_seconds == null ? html`<span class="soft">–</span>` : span(one.oldest_seconds)}</td>
</tr>`;

const number = (n) => html`<td class="n ${n ? "some" : "zero"}">${n.toLocaleString()}</td>`;

function reasons() {
  const found = whole.data?.dead_letters;
  if (!found?.length) return nothing;
  return html`<h2>Dead letters</h2>
    <ul class="plain-list">${found.map((one) => html`<li><a href=${link("dead", "", { reason: one.reason })}>${one.reason}</a> <span class="n">${one.count}</span></li>`)}</ul>`;
}

function paces({ pace }) {
  if (!pace.length) return nothing;
  return html`<h2>Pace</h2>
    <ul class="plain-list">${pace.map((one) => html`<li><code>${one.server}</code>
      <span>${one.rate == null ? "no limit" : `${one.rate}/s`}, ${count(one.connections, "connection")} <span class="soft">${one.learned ? "learned" : "by the settings"}</span></span></li>`)}</ul>`;
}

function runs({ runs: all }) {
  return html`<h2>Last runs</h2>
    ${all.length ? html`<div class="scroll"><table>
      <thead><tr><th scope="col">Ended</th><th scope="col" class="n">Took</th><th scope="col" class="n">Sent</th><th scope="col" class="n">Deferred</th><th scope="col" class="n">Dead</th><th scope="col">Why it ended</th></tr></thead>
      <tbody>${all.map((run) => html`<tr class=${run.error || run.held ? "bad" : ""}>
        <td>${when(run.ended_at)}</td><td class="n">${run.seconds.toFixed(1)} s</td>
        ${number(run.sent)} ${number(run.deferred + run.released)} ${number(run.dead_lettered)}
        <td>${run.error || run.held ? html`<b>${run.error || run.held}</b>` : run.stopped.replaceAll("_", " ")}</td></tr>`)}</tbody>
    </table></div>` : html`<p class="soft">None is in the log that was read.</p>`}`;
}

function alarms({ alarms: all }) {
  if (!all.length) return nothing;
  const ringing = all.filter((one) => one.state === "ALARM");
  return html`<h2>Alarms</h2>
    ${ringing.length ? nothing : html`<p class="soft">None of ${all.length} rings.</p>`}
    <ul class="plain-list">${(ringing.length ? ringing : []).map((one) => html`<li class="bad">${shape("triangle")} <b>${one.key}</b> <span>since ${when(one.since)}</span></li>`)}</ul>
    ${all.some((one) => one.heard_by === 0) ? html`<p class="warn-text">${shape("triangle")} Nobody hears ${count(all.filter((one) => one.heard_by === 0).length, "of them", "of them")}: give the module an alarm topic with a subscription.</p>` : nothing}`;
}

const unknown = ({ unknown: all }) =>
  all.length ? html`<h2>Not known</h2><ul class="unknown">${all.map((words) => html`<li>${words}</li>`)}</ul>` : nothing;
