// Times as people read them: local, with the UTC time as the title.
import { html } from "../vendor/lit-html/lit-html.js";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

/** Show a time of the API's: today's without its day. */
export function when(text, { short = false } = {}) {
  if (!text) return "";
  const time = new Date(text);
  const today = time.toDateString() === new Date().toDateString();
  const hours = short ? clock.format(time).slice(0, 5) : clock.format(time);
  const shown = today ? hours : short ? day.format(time) : `${day.format(time)}, ${hours}`;
  return html`<time datetime=${text} title=${utc(time)}>${shown}</time>`;
}

/** Show how far off a time is: "in 4 min", "12 s ago". */
export function from(text) {
  if (!text) return "";
  const seconds = Math.round((new Date(text) - Date.now()) / 1000);
  const shown = seconds > 0 ? `in ${span(seconds)}` : seconds > -2 ? "now" : `${span(-seconds)} ago`;
  return html`<time datetime=${text} title=${utc(new Date(text))}>${shown}</time>`;
}

/** Give a duration in its largest unit: "4 min". */
export function span(seconds) {
  const [unit, size] = UNITS.find(([, each]) => seconds >= each) ?? UNITS.at(-1);
  return `${Math.floor(seconds / size)} ${unit}`;
}

const utc = (time) => `${time.toISOString().replace("T", " ").replace(/\.\d+Z/, "")} UTC`;

/** Give a local time as RFC 3339 has it, with this machine's zone. */
export function withZone(time) {
  const minutes = -time.getTimezoneOffset();
  const two = (n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  const local = new Date(time.getTime() + minutes * 60_000).toISOString().slice(0, 19);
  return `${local}${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
