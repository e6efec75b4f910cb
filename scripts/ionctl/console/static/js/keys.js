// The keyboard: j and k, g and a letter, /, ? and Esc.
import { html } from "../vendor/lit-html/lit-html.js";
import { sheet } from "./dialog.js";
import { current, parts } from "./parts.js";
import { go, link } from "./route.js";

const AFTER_G_MS = 1500;
let afterG = 0;

export function listenToKeys() {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.getElementById("dialog").open) return;
    if (pressed(event.key, event.target)) event.preventDefault();
  });
}

/** Give whether the key was one of ours. */
function pressed(key, target) {
  const typing = target.matches?.("input:not([type=checkbox]), textarea, select");
  if (key === "Escape") return leave(target, typing);
  if (typing) return false;
  if (Date.now() - afterG < AFTER_G_MS) {
    afterG = 0;
    const part = parts().find((one) => one.key === key);
    if (part) goTo(part.name);
    return Boolean(part);
  }
  if (key === "g") afterG = Date.now();
  else if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (key === "/") return find();
  else if (key === "?") showKeys();
  else return false;
  return true;
}

function goTo(name) {
  go(link(name));
  document.querySelector("main")?.focus();
}

/** Move through the list that is shown; where one is open beside it, open the next. */
function step(by) {
  const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent);
  if (!rows.length) return;
  const focused = rows.indexOf(document.activeElement);
  const open = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  const now = focused >= 0 ? focused : open;
  const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
  next.focus();
  if (open >= 0) go(next.getAttribute("href"), { replace: true });
}

function find() {
  const field = [...document.querySelectorAll("[data-search]")].find((one) => one.offsetParent);
  field?.focus();
  field?.select();
  return Boolean(field);
}

function leave(target, typing) {
  if (typing) {
    target.blur();
    return true;
  }
  const { part, where } = current();
  if (!part || !where.id) return false;
  go(part.up?.(where) ?? link(part.name));
  return true;
}

export function showKeys() {
  const letters = parts().map((part) => [`g ${part.key}`, part.title]);
  const keys = [["j k", "next, previous"], ["Enter", "open"], ["/", "search"], ["Esc", "back"]];
  const row = ([key, what]) =>
    html`<dt>${key.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</dt>
      <dd>${what}</dd>`;
  sheet("Keys", html`<dl class="keys">${[...keys, ...letters].map(row)}</dl>`);
}
