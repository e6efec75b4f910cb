// What the page knows of its relay: told by the API once, and by the stream from then on.
import { get } from "./api.js";
import { follow } from "./changes.js";
import { changed } from "./draw.js";

export const relay = {
  about: null,
  status: null,
  inbox: { count: 0, newest_id: "" },
  dead: null,
  switches: null,
  outcomes: null,
  live: false,
  error: null,
  unseen: "", // why the relay couldn't be looked at; empty: it could
};

const listeners = new Map();

/** Call a function at each event of a name; "begun" once, and "live" when the stream is there. */
export function onNews(name, listener) {
  listeners.set(name, [...(listeners.get(name) ?? []), listener]);
}

const tell = (name, data) => listeners.get(name)?.forEach((listener) => listener(data));

export async function begin() {
  try {
    relay.about = await get("/api/about");
  } catch (error) {
    relay.error = error;
    changed();
    if (error.status !== 401) setTimeout(begin, 2000);
    return;
  }
  relay.error = null;
  tell("begun");
  follow(onEvent, onState);
}

function onEvent(name, data) {
  if (name === "status") {
    // the stream's status has no reasons of dead letters: the count tells whether they are others
    relay.status = data;
    relay.unseen = "";
    relay.dead ??= data.queues.dead_letter.visible;
  }
  if (name === "error") relay.unseen = data.error;
  if (name === "inbox") relay.inbox = data;
  if (name === "dead") relay.dead = data.visible;
  if (name === "switches") relay.switches = data;
  if (name === "outcomes") relay.outcomes = data.latest;
  tell(name, data);
  changed();
}

function onState(live) {
  if (live && !relay.live) tell("live");
  relay.live = live;
  changed();
}

export const writes = () => Boolean(relay.about?.write);
