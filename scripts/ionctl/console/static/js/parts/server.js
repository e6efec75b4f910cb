// Part 6: what the local mail server does to what comes from now on.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { Answer } from "../answer.js";
import { get, post } from "../api.js";
import { changed } from "../draw.js";
import { say } from "../news.js";
import { relay, writes } from "../relay.js";
import { link } from "../route.js";
import { wrong } from "../wrong.js";

const switches = new Answer();

export const server = { name: "server", key: "s", title: "Mail server", short: "Server", enter: load, view };

function load() {
  switches.load((signal) => get("/api/switches", signal));
}

function view() {
  const known = switches.data;
  const mode = relay.switches?.mode ?? known?.mode;
  return html`<div class="sheet">
    <h1>Mail server</h1>
    <p class="lead">How the mail server of this stack treats ion from now on. Turn one, publish, and watch the <a href=${link("queue")}>queue</a>: mail waits, and goes out when ion asks a server that is well again: after some minutes, or at once when it is woken there.</p>
    ${wrong(switches.error, load)}
    ${known ? html`<fieldset class="switches" ?disabled=${!writes()}>
      <legend class="unseen">The mail server</legend>
      ${known.modes.map((one) => choice(one, mode))}
    </fieldset>` : nothing}
  </div>`;
}

const choice = (one, mode) => html`<label class="switch ${one.name === "well" ? "good" : "bad"}">
  <input type="radio" name="mode" value=${one.name} .checked=${one.name === mode} @change=${turn}>
  <b>${one.title}</b> <span>${one.words}</span>
</label>`;

async function turn(event) {
  const name = event.target.value;
  try {
    const now = await post("/api/switches", { mode: name });
    relay.switches = now;
    switches.error = null;
    say(`The mail server: ${switches.data.modes.find((one) => one.name === name).title}.`);
  } catch (error) {
    switches.error = error;
  }
  changed();
}
