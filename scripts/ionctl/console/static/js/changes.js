// The console's stream of news. By fetch, not EventSource, which doesn't tell a refusal's status.
import { door, fetched } from "./api.js";

const WAITS_MS = [500, 1000, 2000, 5000];
const SILENT_MS = 40_000; // a comment comes every 15 s

/**
 * Follow the stream, and begin anew when it breaks.
 * @param {(name: string, data: any) => void} onEvent
 * @param {(live: boolean) => void} onState
 */
export async function follow(onEvent, onState) {
  for (let failures = 0; !door.shut; failures += 1) {
    const abort = new AbortController();
    try {
      const response = await fetched("/api/changes", { signal: abort.signal });
      failures = 0;
      onState(true);
      await read(response.body.getReader(), onEvent, abort);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
    onState(false);
    await new Promise((done) => setTimeout(done, WAITS_MS[Math.min(failures, WAITS_MS.length - 1)]));
  }
}

async function read(reader, onEvent, abort) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const silence = setTimeout(() => abort.abort(), SILENT_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(silence));
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) tell(block, onEvent);
  }
}

function tell(block, onEvent) {
  let name = "message";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
    if (field === "event") name = value;
    if (field === "data") data.push(value);
  }
  if (data.length) onEvent(name, JSON.parse(data.join("\n")));
}
