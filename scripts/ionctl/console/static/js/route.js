// The address after #: which part, which thing in it, and what of it is chosen.

/** Give {part, id, choice} of "#/dead/ID?reason=X". */
export function route() {
  const [path, choice = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [part = "", id = ""] = path.split("/").map(decoded);
  return { part, id, choice: Object.fromEntries(new URLSearchParams(choice)) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Give the address of a part, or of a thing in it. */
export function link(part, id = "", choice = {}) {
  const given = new URLSearchParams(Object.entries(choice).filter(([, value]) => value));
  const tail = given.size ? `?${given}` : "";
  return `#/${part}${id ? `/${encodeURIComponent(id)}` : ""}${tail}`;
}

export function go(hash, { replace = false } = {}) {
  if (replace) location.replace(hash);
  else location.hash = hash;
}
