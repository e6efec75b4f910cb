// What the queue's buttons ask of the operator, and then of the relay.
import { html } from "../../vendor/lit-html/lit-html.js";
import { post } from "../api.js";
import { question } from "../dialog.js";
import { changed } from "../draw.js";
import { say } from "../news.js";
import { withZone } from "../time.js";

const HOURS = [["1", "an hour"], ["0.25", "15 minutes"], ["4", "4 hours"], ["24", "a day"], ["168", "a week"]];

/** What the last order came to; an error is shown in the part. */
export const steered = { error: null };

async function order(path, body) {
  try {
    say((await post(path, body)).words, "good");
    steered.error = null;
  } catch (error) {
    steered.error = error;
  }
  changed();
}

const until = (hours) => withZone(new Date(Date.now() + hours * 3_600_000));

const howLong = html`<label class="stacked">For
  <select name="hours">${HOURS.map(([hours, words]) => html`<option value=${hours}>${words}</option>`)}</select>
</label>`;

const reason = html`<label class="stacked">Why (others read it)
  <input name="why" autocomplete="off" maxlength="200">
</label>`;

export async function pause() {
  const fields = html`<label class="stacked">What
      <select name="lane"><option value="">everything</option><option value="bulk">bulk mail</option><option value="normal">normal mail</option></select>
    </label>
    ${howLong} ${reason}`;
  const words = "Mail waits in its queue, and publishers go on. What is under way is sent.";
  const given = await question({ title: "Pause", words, fields, verb: "Pause" });
  if (given) await order("/api/pause", { lane: given.lane || null, until: until(given.hours), why: given.why });
}

export async function stop() {
  const text = (name, label, placeholder) => html`<label class="stacked">${label}
    <input name=${name} placeholder=${placeholder} autocomplete="off" spellcheck="false"></label>`;
  const fields = html`<fieldset><legend>Emails of which all of this is true; without any of it, all</legend>
      ${text("tag", "Tag", "campaign=spring")} ${text("sender", "Sender", "news@example.org")}
      ${text("recipient_domain", "Recipient's domain", "example.org")} ${text("email_id", "Email's id", "order-17")}
    </fieldset>
    ${howLong} ${reason}`;
  const words = "Emails whose turn comes are dead-lettered instead of sent. Nothing is lost: a redrive sends them after all.";
  const given = await question({ title: "Stop", words, fields, verb: "Stop them", danger: true });
  if (!given) return;
  const where = conditions(given);
  if (!where && !(await question(EVERYTHING))) return;
  await order("/api/stop", { where, until: until(given.hours), why: given.why });
}

/** Fields that a tired person has left empty mean all mail. */
const EVERYTHING = {
  title: "Stop every email?",
  words: "No condition was given: every email whose turn comes is dead-lettered, password resets with the rest. To have mail wait instead, pause.",
  verb: "Stop everything",
  danger: true,
};

function conditions({ tag, sender, recipient_domain, email_id }) {
  const [name, ...value] = tag.split("=");
  const where = { tag: tag && { [name.trim()]: value.join("=").trim() }, sender, recipient_domain, email_id };
  const given = Object.entries(where).filter(([, one]) => one);
  return given.length ? Object.fromEntries(given) : null;
}

export async function resume() {
  const words = "Every pause and every stop ends. What waits goes out; what was stopped stays a dead letter until it is redriven.";
  if (await question({ title: "Resume", words, verb: "Resume" })) await order("/api/resume", {});
}

/** @param {{lane: string} | {stop_id: string}} what ends alone. */
export const resumed = (what) => order("/api/resume", what);

export const wake = () => order("/api/wake", {});
