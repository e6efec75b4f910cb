// The relay's line, which is the page's menu: each part is a stop on an email's way.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { parts } from "./parts.js";
import { relay } from "./relay.js";
import { link } from "./route.js";

const SHUT = { held: "broken", misconfigured: "broken", disabled: "broken", paused: "shut" };

/** @param {{name: string} | null} here the part that is shown */
export function line(here) {
  return html`<nav class="line ${leg()}" aria-label="Parts">
    <ol>
      ${stops().map((part) => stop(part, part === here))}
    </ol>
  </nav>`;
}

/** AWS's mail server is a stop, too, though not one to be switched here. */
function stops() {
  const all = parts();
  if (all.some((part) => part.name === "server")) return all;
  return all.flatMap((part) => (part.name === "queue" ? [part, { name: "server", title: "Mail server", short: "Server" }] : [part]));
}

/** What the line between queue and mail server looks like. */
function leg() {
  const verdict = relay.status?.verdict;
  return SHUT[verdict] ?? (verdict === "sending" || verdict === "backlog" ? "moving" : "still");
}

function stop(part, here) {
  const [number, meaning] = counted(part.name);
  if (!part.view) return html`<li class="stop server"><span>${name(part)}</span></li>`;
  return html`<li class="stop ${part.name}">
    <a href=${link(part.name)} aria-current=${here ? "page" : nothing} title="${part.title} (g ${part.key})">
      ${name(part)}
      ${number ? html`<span class="count">${compacted(number)}<span class="unseen"> ${meaning}</span></span>` : nothing}
    </a>
  </li>`;
}

const name = (part) => html`<span class="dot" aria-hidden="true"></span>
  <span class="name"><span class="long">${part.title}</span><span class="short" aria-hidden="true">${part.short ?? part.title}</span></span>`;

const compact = new Intl.NumberFormat("en", { notation: "compact" });

/** Give what a stop's badge says, and what that means. */
function counted(name) {
  const queues = relay.status?.queues;
  const mode = relay.switches?.mode ?? "well";
  if (name === "server" && mode !== "well") return ["!", `misbehaves: ${mode.replace("_", " ")}`];
  if (name === "inbox") return [relay.inbox.count, "arrived"];
  if (name === "dead") return [relay.dead, "dead letters"];
  if (name === "queue" && queues) return [waiting(queues), "waiting"];
  return [0, ""];
}

const compacted = (number) => (typeof number === "number" ? compact.format(number) : number);

/** All that waits, later mail too. */
export const waiting = ({ input, bulk, later }) =>
  [input, bulk, later].reduce((sum, one) => sum + one.visible + one.in_flight + one.delayed, 0);
