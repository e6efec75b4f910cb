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
      ${parts().map((part) => stop(part, part === here))}
    </ol>
  </nav>`;
}

/** What the line between queue and mail server looks like. */
function leg() {
  const verdict = relay.status?.verdict;
  return SHUT[verdict] ?? (verdict === "sending" || verdict === "backlog" ? "moving" : "still");
}

function stop(part, here) {
  const [number, meaning] = counted(part.name);
  return html`<li class="stop ${part.name}">
    <a href=${link(part.name)} aria-current=${here ? "page" : nothing} title="${part.title} (g ${part.key})">
      <span class="dot" aria-hidden="true"></span>
      <span class="name"><span class="long">${part.title}</span><span class="short" aria-hidden="true">${part.short ?? part.title}</span></span>
      ${number ? html`<span class="count">${number}<span class="unseen"> ${meaning}</span></span>` : nothing}
    </a>
  </li>`;
}

function counted(name) {
  const queues = relay.status?.queues;
  if (name === "inbox") return [relay.inbox.count, "arrived"];
  if (name === "dead") return [relay.dead, "dead letters"];
  if (name === "queue" && queues) return [waiting(queues), "waiting"];
  return [0, ""];
}

/** All that waits, later mail too. */
export const waiting = ({ input, bulk, later }) =>
  [input, bulk, later].reduce((sum, one) => sum + one.visible + one.in_flight + one.delayed, 0);
