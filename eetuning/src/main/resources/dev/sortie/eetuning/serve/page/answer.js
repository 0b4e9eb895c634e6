// One answer on the page: a line that says how it was made, and its tokens.

import {depthOf} from './conversation.js';
import {round, speed, tint} from './meter.js';

const ENDS = {length: 'cut at the longest answer', stopped: 'stopped'};

export class AnswerView {
  /**
   * @param answer what is shown; tokens are added through {@link add}
   * @param model what `/props` says
   * @param inspector shows the token that is pointed at
   * @param explain shows how the token with an index was chosen
   */
  constructor(answer, model, inspector, explain) {
    this.answer = answer;
    this.model = model;
    this.inspector = inspector;
    this.explain = explain;
    this.current = -1;
    this.element = document.createElement('section');
    this.element.className = 'answer';
    this.title = document.createElement('h3');
    this.facts = document.createElement('span');
    this.tokens = document.createElement('p');
    this.tokens.className = 'tokens';
    this.tokens.tabIndex = 0;
    this.tokens.setAttribute('role', 'group');
    this.note = document.createElement('p');
    this.note.className = 'note';
    this.title.append(name(answer.how), ' ', this.facts);
    this.element.append(this.title, this.tokens, this.note);
    this.listen();
    answer.tokens.forEach(token => this.append(token));
    this.describe();
  }

  listen() {
    const at = event => [...this.tokens.children].indexOf(event.target);
    this.tokens.addEventListener('pointerover', event => this.look(at(event)));
    this.tokens.addEventListener('click', event => this.look(at(event)));
    this.tokens.addEventListener('focus', () => {
      if (this.tokens.matches(':focus-visible')) {
        this.look(this.current < 0 ? 0 : this.current, true);
      }
    });
    this.tokens.addEventListener('keydown', event => {
      if (event.key === 'Enter' && this.answer.tokens[this.current]) {
        event.preventDefault(); // or it would press the button that has the focus next
        this.explain(this.current);
        return;
      }
      const next = this.target(event.key);
      if (next !== null) {
        event.preventDefault();
        this.look(next, true);
      }
    });
  }

  /** Where a key leads; null if nowhere. */
  target(key) {
    const last = this.answer.tokens.length - 1;
    switch (key) {
      case 'ArrowRight': return Math.min(last, this.current + 1);
      case 'ArrowLeft': return Math.max(0, this.current - 1);
      case 'ArrowDown': return this.line(1);
      case 'ArrowUp': return this.line(-1);
      case 'Home': return 0;
      case 'End': return last;
      default: return null;
    }
  }

  /** The token below or above the current one. */
  line(step) {
    const boxes = [...this.tokens.children].map(child => child.getClientRects()[0]);
    const from = boxes[this.current];
    let best = this.current;
    let row = null;
    for (let i = this.current + step; from && i >= 0 && i < boxes.length; i += step) {
      const box = boxes[i];
      if (!box || Math.abs(box.top - from.top) < 4) {
        continue;
      }
      row ??= box.top;
      if (Math.abs(box.top - row) >= 4) {
        break;
      }
      if (best === this.current || Math.abs(box.left - from.left) < Math.abs(boxes[best].left - from.left)) {
        best = i;
      }
    }
    return best;
  }

  /** Shows a token's details. */
  look(index, aloud = false) {
    const token = this.answer.tokens[index];
    if (!token) {
      return;
    }
    this.current = index;
    const element = this.tokens.children[index];
    this.inspector.show(token, element, aloud, () => this.explain(index));
    if (aloud) {
      element.scrollIntoView({block: 'nearest'});
    }
  }

  add(token) {
    this.answer.tokens.push(token);
    this.append(token);
  }

  append(token) {
    const element = document.createElement('span');
    element.className = token.drafted ? 'tok drafted' : 'tok';
    element.textContent = token.text;
    tint(element, token.exit, this.model);
    this.tokens.append(element);
  }

  /** Brings the line above the tokens, and the note below, up to date. */
  describe() {
    const {tokens, finish, error} = this.answer;
    const facts = [`${tokens.length} tokens`];
    const now = speed(this.answer);
    if (now !== null) {
      facts.push(`${round(now)} tokens/s`);
    }
    if (tokens.length && this.model.exits.length) {
      const sum = tokens.reduce((total, token) => total + depthOf(token, this.model.layers), 0);
      facts.push(`mean layer ${(sum / tokens.length).toFixed(1)} of ${this.model.layers}`);
    }
    if (finish in ENDS) {
      facts.push(ENDS[finish]);
    }
    this.facts.textContent = finish ? facts.join(' · ') : ''; // the meter counts while it comes
    const drafted = tokens.filter(token => token.drafted).length;
    if (finish && drafted) {
      const legend = document.createElement('span');
      legend.className = 'legend';
      legend.textContent = `${drafted} accepted from drafts`;
      this.facts.append(' · ', legend);
    }
    this.tokens.setAttribute('aria-label', `${name(this.answer.how)}, ${tokens.length} tokens; arrow keys move through them`);
    this.note.classList.toggle('error', Boolean(error));
    this.note.textContent = error ?? '';
  }

  /** Marks tokens that the other answer does not have, and says how many. */
  mark(indices) {
    [...this.tokens.children].forEach((child, i) => child.classList.toggle('differs', indices.has(i)));
    const same = this.answer.tokens.length - indices.size;
    this.note.textContent = indices.size === 0
      ? 'The same tokens as the other answer.'
      : `${same} of ${this.answer.tokens.length} tokens are the same; the others are underlined, from token ${Math.min(...indices) + 1} on.`;
  }
}

function name(how) {
  return how.strategy === 'full' ? 'Full depth' : `Early exit at ${how.threshold.toFixed(2)}`;
}
