// The page: one state, drawn anew whenever something has changed.
import { render } from "../vendor/lit-html/lit-html.js";
import { changed, drawWith } from "./draw.js";
import { listenToKeys } from "./keys.js";
import { current } from "./parts.js";
import { begin, onNews } from "./relay.js";
import { page } from "./shell.js";
import { showTheme } from "./theme.js";

const TICK_MS = 1000; // "in 12 s" is counted down

function entered() {
  const { part, where } = current();
  part?.enter?.(where);
  changed();
}

showTheme();
drawWith(() => render(page(), document.getElementById("page")));
addEventListener("hashchange", entered);
listenToKeys();
setInterval(() => document.hidden || changed(), TICK_MS);
changed();
onNews("begun", entered);
begin();
