// Signs with a shape of their own, so that none says by colour alone how the relay is.
import { html, svg } from "../vendor/lit-html/lit-html.js";

const PATHS = {
  disc: svg`<circle cx="8" cy="8" r="5"/>`,
  ring: svg`<circle cx="8" cy="8" r="4.2" class="hollow"/>`,
  triangle: svg`<path d="M8 2 15 14H1z"/>`,
  bars: svg`<path d="M3 3h4v10H3zM9 3h4v10H9z"/>`,
  square: svg`<path d="M3 3h10v10H3z"/>`,
  stack: svg`<path d="M2 3h12v2.6H2zM2 6.7h12v2.6H2zM2 10.4h12V13H2z"/>`,
  cross: svg`<path d="m4 2 4 4 4-4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4-4-4z"/>`,
  dots: svg`<circle cx="3" cy="8" r="1.6"/><circle cx="8" cy="8" r="1.6"/><circle cx="13" cy="8" r="1.6"/>`,
  clip: svg`<path d="M11.5 4.5 6 10a1.4 1.4 0 0 0 2 2l5.3-5.3a2.9 2.9 0 0 0-4.1-4.1L3.6 8.2a4.3 4.3 0 0 0 6 6L13 10.8" class="hollow"/>`,
  search: svg`<circle cx="7" cy="7" r="4.2" class="hollow"/><path d="m10.2 10.2 4 4" class="hollow"/>`,
  moon: svg`<path d="M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z"/>`,
  sun: svg`<circle cx="8" cy="8" r="3"/><path d="M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.4M11.6 11.6 13 13M13 3l-1.4 1.4M4.4 11.6 3 13" class="hollow"/>`,
  left: svg`<path d="M10 3 5 8l5 5" class="hollow"/>`,
  phone: svg`<rect x="4.5" y="1.5" width="7" height="13" rx="1.5" class="hollow"/><path d="M7 12.2h2" class="hollow"/>`,
};

/** Draw a sign; what it means is said beside it. */
export const shape = (name) =>
  html`<svg class="shape" viewBox="0 0 16 16" aria-hidden="true">${PATHS[name]}</svg>`;

/** The sign and tone of each verdict on a relay (ops/result/status.py, Verdict). */
export const VERDICTS = {
  misconfigured: ["cross", "bad", "Misconfigured"],
  disabled: ["cross", "bad", "Disabled"],
  paused: ["bars", "warn", "Paused"],
  held: ["triangle", "bad", "Held"],
  stopping: ["square", "warn", "Stopping"],
  backlog: ["stack", "warn", "Backlog"],
  sending: ["disc", "good", "Sending"],
  idle: ["ring", "good", "Idle"],
};
