// The parts of the page, in the order of an email's way.
import { dead } from "./parts/dead.js";
import { email } from "./parts/email.js";
import { inbox } from "./parts/inbox.js";
import { publish } from "./parts/publish.js";
import { queue } from "./parts/queue.js";
import { server } from "./parts/server.js";
import { relay } from "./relay.js";
import { route } from "./route.js";

/** Those that this console has: without an inbox it isn't a local stack. */
export function parts() {
  const local = Boolean(relay.about?.local);
  const has = { publish: true, queue: true, server: local, inbox: relay.about?.inbox ?? local };
  return [publish, queue, server, inbox, dead, email].filter((part) => has[part.name] ?? true);
}

/** Give the part that the address names, or the first to look at, and the address. */
export function current() {
  const where = route();
  if (!relay.about) return { part: null, where };
  const all = parts();
  const first = all.find((part) => part.name === "inbox") ?? queue;
  return { part: all.find((part) => part.name === where.part) ?? first, where };
}
