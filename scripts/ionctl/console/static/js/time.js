// Times as the logs, the API's words and the CLI have them: UTC, with the person's own as the title.
import { html } from "../vendor/lit-html/lit-html.js";

const own = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long", hour12: false });
const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

/** Show a time of the API's: today's without its day, another day's without seconds. */
export function when(text) {
  if (!text) return "";
  const [day, clock] = new Date(text).toISOString().split("T");
  const today = day === new Date().toISOString().slice(0, 10);
  return html`<time datetime=${text} title=${here(text)}>${today ? clock.slice(0, 8) : `${day} ${clock.slice(0, 5)}`} UTC</time>`;
}

/** Show how far off a time is: "in 4 min", "12 s ago". */
export function from(text) {
  if (!text) return "";
  const seconds = Math.round((new Date(text) - Date.now()) / 1000);
  const shown = seconds > 0 ? `in ${span(seconds)}` : seconds > -2 ? "now" : `${span(-seconds)} ago`;
  return html`<time datetime=${text} title=${here(text)}>${shown}</time>`;
}

/** Give a duration in its largest unit: "4 min". */
export function span(seconds) {
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? UNITS.at(-1);
  return `${Math.floor(seconds / size)} ${unit}`;
}

const here = (text) => own.format(new Date(text));

/** Give a local time as RFC 3339 has it, with this machine's zone. */
export function withZone(time) {
  const minutes = -time.getTimezoneOffset();
  const two = (n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, 19);
  return `${local}${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
