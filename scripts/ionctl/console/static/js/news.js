// News for everybody: shown for some seconds, and read out by a screen reader.
const SHOWN_MS = 6000;
let timer;

/** @param {"good" | "bad" | "plain"} tone */
export function say(text, tone = "plain") {
  const place = document.getElementById("news");
  clearTimeout(timer);
  place.textContent = text;
  place.className = `shown ${tone}`;
  timer = setTimeout(() => {
    place.className = "";
    place.textContent = "";
  }, SHOWN_MS);
}

/** Offer a text as a file. */
export function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const anchor = Object.assign(document.createElement("a"), { href: address, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
