// Questions before something is done, in the one dialog of the page.
import { html, nothing, render } from "../vendor/lit-html/lit-html.js";

const dialog = () => document.getElementById("dialog");

/**
 * Ask; give the form's values, or null if it was left.
 * @param {{title: string, words?: any, fields?: any, verb: string, danger?: boolean}} question
 * @returns {Promise<Record<string, string> | null>}
 */
export function question({ title, words = nothing, fields = nothing, verb, danger = false }) {
  const form = html`<form method="dialog" class="dialog">
    <h2 id="dialog-title">${title}</h2>
    ${words === nothing ? nothing : html`<p>${words}</p>`} ${fields}
    <div class="actions">
      <button value="" formnovalidate>Leave it</button>
      <button value="yes" class=${danger ? "danger" : "main"}>${verb}</button>
    </div>
  </form>`;
  return open(form, (element) =>
    element.returnValue === "yes"
      ? Object.fromEntries(new FormData(element.querySelector("form")))
      : null,
  );
}

/** Show something to be read, and closed. */
export function sheet(title, content) {
  return open(
    html`<form method="dialog" class="dialog">
      <h2 id="dialog-title">${title}</h2>
      ${content}
      <div class="actions"><button value="" class="main">Close</button></div>
    </form>`,
    () => null,
  );
}

function open(content, result) {
  const element = dialog();
  if (element.open) element.close("");
  element.returnValue = "";
  render(nothing, element);
  render(content, element);
  element.showModal();
  return new Promise((done) => {
    element.addEventListener("close", () => done(result(element)), { once: true });
  });
}
