// Asks the console's API. What it refuses is a Refused, whose text is for people.
import { changed } from "./draw.js";

const GONE = "The console doesn't answer. Is ./run.sh, or ionctl console, still running?";

export class Refused extends Error {
  /** @param {number} status HTTP's; 0: no answer came. */
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

/** Whether the console wants a token that this browser hasn't got, or has an old one of. */
export const door = { shut: false };

/** Give a response. The browser sends the token along, as a cookie that no script can read. */
export async function fetched(path, { method = "GET", body, signal } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, GONE);
  }
  if (response.ok) return response;
  if (response.status === 401) {
    door.shut = true;
    changed();
  }
  throw new Refused(response.status, await wordsOf(response));
}

async function wordsOf(response) {
  try {
    return (await response.json()).error || response.statusText;
  } catch {
    return `The console answered ${response.status} ${response.statusText}`;
  }
}

export const get = async (path, signal) => (await fetched(path, { signal })).json();
export const post = async (path, body = {}) => (await fetched(path, { method: "POST", body })).json();
export const remove = async (path) => (await fetched(path, { method: "DELETE" })).json();

/** Give a path with what is in it escaped: at`/api/dead/${id}`. */
export const at = (texts, ...values) =>
  texts.reduce((path, text, n) => path + encodeURIComponent(values[n - 1]) + text);

/** Give "?a=b" of what isn't empty. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== "" && value != null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
