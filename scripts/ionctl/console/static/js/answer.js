// What the API was asked for: the last answer stays on the page while the next is on its way.
import { changed } from "./draw.js";

export class Answer {
  data = null;
  error = null;
  busy = false;
  #abort = null;

  /**
   * Ask anew; an answer that is still awaited is given up.
   * @param {(signal: AbortSignal) => Promise<any>} request
   * @returns {Promise<boolean>} whether `data` is the answer to this request
   */
  async load(request) {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.busy = true;
    changed();
    try {
      const data = await request(abort.signal);
      if (abort.signal.aborted) return false;
      this.data = data;
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return false;
      this.error = error;
    }
    this.busy = false;
    changed();
    return this.error === null;
  }

  clear() {
    this.#abort?.abort();
    this.data = this.error = null;
    this.busy = false;
  }
}
