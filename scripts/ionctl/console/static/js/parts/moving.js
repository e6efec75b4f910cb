// Redrives and discards of dead letters.
import { html } from "../../vendor/lit-html/lit-html.js";
import { post } from "../api.js";
import { question } from "../dialog.js";
import { changed } from "../draw.js";
import { download, say } from "../news.js";
import { count } from "../size.js";

/** Message ids of the letters that are ticked. */
export const chosen = new Set();
export const moving = { error: null };

export function choose(ids, ticked) {
  for (const id of ids) ticked ? chosen.add(id) : chosen.delete(id);
  changed();
}

async function move(path, body, done) {
  try {
    const moved = await post(path, body);
    moving.error = null;
    chosen.clear();
    done(moved);
  } catch (error) {
    moving.error = error;
  }
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
  await move("/api/dead/redrive", body, (moved) => {
    say(`${count(moved.done, "letter")} back in the queue${refused(moved)}.`, moved.refused ? "plain" : "good");
    then();
  });
}

const refused = ({ refused: n, hidden }) =>
  [n && `, ${n} refused: they have come back too often`, hidden && `, about ${hidden} hidden: try again in half a minute`].filter(Boolean).join("");

/** Delete letters, after their text has been saved. */
export async function discard(ids, then) {
  const words = html`They are deleted, and can't be sent any more. A file with all of them, a JSON line each, is downloaded: keep it if you aren't sure.`;
  const title = `Discard ${count(ids.length, "letter")}?`;
  if (!(await question({ title, words, verb: "Download and discard", danger: true }))) return;
  await move("/api/dead/discard", { ids }, (moved) => {
    const name = `dead-letters-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jsonl`;
    download(name, moved.jsonl, "application/jsonl");
    say(`${count(moved.done, "letter")} discarded, and written into ${name}.`, "good");
    then();
  });
}
