// A message is read while it is typed, so that its answer begins sooner.

import {read} from './api.js';

const PAUSE_MILLIS = 300;

export class Typing {
  /** @param model what `/props` says */
  constructor(model) {
    this.model = model;
    this.reading = null;
  }

  /**
   * Something was typed: after a pause the server reads it, in place of what it read before. Errors
   * are left to the answer, which meets them too.
   *
   * @param messages the conversation, with what was typed so far last
   * @param ways how it will be answered
   */
  changed(messages, ways, key) {
    this.stop();
    const {signal} = (this.reading = new AbortController());
    setTimeout(() => {
      if (!signal.aborted) {
        ways.forEach(how => read(this.model, messages, how, key, signal).catch(() => {}));
      }
    }, PAUSE_MILLIS);
  }

  /** What was typed is sent, or gone. */
  stop() {
    this.reading?.abort();
  }
}
