// Redrives and discards of dead letters.
import { html, nothing } from "../../vendor/lit-html/lit-html.js";
import { post } from "../api.js";
import { question } from "../dialog.js";
import { changed } from "../draw.js";
import { download, say } from "../news.js";
import { count } from "../size.js";
import { wrong } from "../wrong.js";

/** Message ids of the letters that are ticked. */
export const chosen = new Set();
/** What the last move did: `done` has the API's answer, and stays until the next one. */
export const moving = { error: null, done: null };

export function choose(ids, ticked) {
  for (const id of ids) ticked ? chosen.add(id) : chosen.delete(id);
  changed();
}

async function move(path, body, done) {
  moving.done = moving.error = null;
  try {
    const moved = await post(path, body);
    if (moved.done) chosen.clear();
    moving.done = { ...moved, copy: done(moved) };
    say(moved.words, moved.done && moved.done === moved.chosen ? "good" : "plain");
  } catch (error) {
    moving.error = error;
  }
  changed();
}

/** What the last move left undone, and where a discard's file is: until it is closed. */
export function moved(ionctl) {
  const { error, done } = moving;
  const all = done?.done && done.done === done.chosen && !done.hidden;
  if (error || !done || (all && !done.file)) return wrong(error);
  return html`<div class="banner ${all ? "good" : "warn"}" role="status">
    <p>${done.words}</p>
    ${done.file ? html`<p>They are in <code>${done.copy}</code>, downloaded, and in <code>${done.file}</code>
      on the machine that runs the console. This brings them back: <code>${ionctl} dead restore ${done.file}</code></p>` : nothing}
    <button type="button" class="small" @click=${forget}>Close</button>
  </div>`;
}

export function forget() {
  moving.done = moving.error = null;
  changed();
}

/**
 * Send letters back to the input queue.
 * @param {string[] | {reason: string, path: string, count: number}} what ids, or a group
 */
export async function redrive(what, then) {
  const body = Array.isArray(what) ? { ids: what } : { where: { reason: what.reason, ...(what.path && { path: what.path }) } };
  const many = Array.isArray(what) ? what.length : what.count;
  const words = "They go back to the input queue and are tried again, each under its own id: nobody who has the email gets it twice.";
  if (!(await question({ title: `Redrive ${count(many, "letter")}?`, words, verb: "Redrive" }))) return;
  await move("/api/dead/redrive", body, (moved) => moved.done && then());
}

/** Delete letters, after their text has been saved. */
export async function discard(ids, then) {
  const words = html`They are deleted, and can't be sent any more. A file with all of them, a JSON line each, is downloaded: keep it if you aren't sure.`;
  const title = `Discard ${count(ids.length, "letter")}?`;
  if (!(await question({ title, words, verb: "Download and discard", danger: true }))) return;
  await move("/api/dead/discard", { ids }, (discarded) => {
    const name = `dead-letters-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jsonl`;
    if (discarded.jsonl) download(name, discarded.jsonl, "application/jsonl");
    if (discarded.done) then();
    return name;
  });
}
