// Tokens per second, mean depth and the histogram of exits, while an answer comes and after it.

import {depthOf} from './conversation.js';

const WINDOW_MILLIS = 1000;

export class Meter {
  /** @param model what `/props` says */
  constructor(model) {
    this.model = model;
    this.levels = [...model.exits, 'final'];
    this.speed = document.getElementById('speed');
    this.depth = document.getElementById('depth');
    document.getElementById('depth-unit').textContent = `of ${model.layers} layers`;
    this.rows = new Map(this.levels.map((exit, i) => [exit, row(exit, i, model)]));
    document.getElementById('histogram').replaceChildren(...[...this.rows.values()].map(r => r.item));
    this.clear();
  }

  /** Nothing was generated yet. */
  clear() {
    this.counts = new Map(this.levels.map(exit => [exit, 0]));
    this.times = [];
    this.total = 0;
    this.layers = 0;
    this.final = null;
    this.show();
  }

  add(token) {
    this.count(token);
    this.times.push(performance.now());
    this.show();
  }

  count(token) {
    this.counts.set(token.exit, (this.counts.get(token.exit) ?? 0) + 1);
    this.total++;
    this.layers += depthOf(token, this.model.layers);
  }

  /** Shows a whole answer. */
  end(answer) {
    this.clear();
    answer.tokens.forEach(token => this.count(token));
    this.final = speed(answer);
    this.show();
  }

  show() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.draw();
    });
  }

  draw() {
    const now = this.final ?? this.recent();
    this.speed.textContent = now === null ? '–' : round(now);
    this.depth.textContent = this.total ? (this.layers / this.total).toFixed(1) : '–';
    for (const [exit, {item, value}] of this.rows) {
      const share = this.total ? this.counts.get(exit) / this.total : 0;
      item.style.setProperty('--share', share);
      value.textContent = this.total ? `${Math.round(100 * share)} %` : '';
    }
  }

  /** Of the last second. */
  recent() {
    const last = this.times.at(-1);
    while (this.times.length > 2 && this.times[0] < last - WINDOW_MILLIS) {
      this.times.shift();
    }
    const span = last - this.times[0];
    return span > 0 ? (1000 * (this.times.length - 1)) / span : null;
  }
}

function row(exit, level, model) {
  const item = document.createElement('li');
  const name = document.createElement('span');
  const bar = document.createElement('span');
  const value = document.createElement('span');
  name.className = 'name';
  bar.className = 'bar';
  value.className = 'value';
  name.textContent = exit === 'final' ? `final (${model.layers})` : `layer ${exit}`;
  tint(bar, exit, model);
  item.append(name, bar, value);
  return {item, value};
}

/** Tints an element by an exit: `--level` is 0 for the first exit, 1 for the last. */
export function tint(element, exit, model) {
  if (exit === 'final') {
    element.classList.add('final');
  } else {
    element.style.setProperty('--level', model.exits.indexOf(exit) / Math.max(1, model.exits.length - 1));
  }
}

/** Tokens per second from the first token to the last; null where there is nothing to measure. */
export function speed(answer) {
  return answer.seconds > 0 ? (answer.tokens.length - 1) / answer.seconds : null;
}

export function round(number) {
  return number < 10 ? number.toFixed(1) : Math.round(number).toLocaleString('en');
}
