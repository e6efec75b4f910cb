// What is around each part: the line of the relay, how the relay is, and the part itself.
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { door } from "./api.js";
import { changed } from "./draw.js";
import { showKeys } from "./keys.js";
import { line } from "./line.js";
import { current } from "./parts.js";
import { relay } from "./relay.js";
import { go, link } from "./route.js";
import { shape } from "./shapes.js";
import { strip } from "./strip.js";
import { theme, turnTheme } from "./theme.js";
import { wrong } from "./wrong.js";

export function page() {
  if (door.shut) return locked();
  const { part, where } = current();
  document.title = part ? `${part.title} · ${relay.about.name}` : "ion";
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
    <header class="head">
      <a class="mark" href="#/" aria-label="ion, to the start"><b>ion</b></a>
      ${relay.about ? line(part) : nothing} ${tools()}
    </header>
    ${strip()}
    <main id="main" tabindex="-1" class=${part?.name ?? "empty"}>
      ${part ? part.view(where) : wrong(relay.error)}
    </main>
  `;
}

/** The anchor's own address is the route's, so the link only moves the focus. */
function skip(event) {
  event.preventDefault();
  document.querySelector("main").focus();
}

function tools() {
  const dark = theme() === "dark";
  return html`<div class="tools">
    <form role="search" @submit=${find}>
      <label class="field-search">
        ${shape("search")}
        <span class="unseen">Find an email by its id</span>
        <input name="key" placeholder="Find by id" autocomplete="off" spellcheck="false">
      </label>
    </form>
    <button type="button" class="bare" @click=${turn} title=${dark ? "Light" : "Dark"}>
      ${shape(dark ? "sun" : "moon")}<span class="unseen">${dark ? "Light" : "Dark"} theme</span>
    </button>
    <button type="button" class="bare keys-button" @click=${showKeys} title="Keys (?)">
      <span aria-hidden="true">?</span><span class="unseen">Keys</span>
    </button>
  </div>`;
}

function find(event) {
  event.preventDefault();
  const key = new FormData(event.target).get("key").trim();
  if (key) go(link("email", key));
}

function turn() {
  turnTheme();
  changed();
}

function locked() {
  document.title = "ion";
  return html`<main id="main" class="locked">
    <h1><span class="mark"><b>ion</b></span></h1>
    <p class="large">This page needs the address that its command printed.</p>
    <p>
      Open the whole of it, with what follows <code>?token=</code>: the last line that
      <code>./run.sh</code> or <code>ionctl console</code> wrote. The address of an earlier run is no
      longer good.
    </p>
  </main>`;
}
