// The details of one token: exit, confidence, alternatives.

const SPACES = {' ': '␣', '\n': '↵', '\t': '⇥'};

export class Inspector {
  /** @param model what `/props` says */
  constructor(model) {
    this.model = model;
    this.none = document.getElementById('token-none');
    this.details = document.getElementById('token-details');
    this.text = document.getElementById('token-text');
    this.id = document.getElementById('token-id');
    this.facts = document.getElementById('token-facts');
    this.table = document.getElementById('token-alternatives');
    this.announcer = document.getElementById('announcer');
    document.getElementById('token-close').addEventListener('click', () => this.clear());
    document.getElementById('token-explain').addEventListener('click', () => this.explain());
  }

  /**
   * @param aloud whether a screen reader is told; moves of the pointer are not worth it
   * @param explain shows how the token was chosen
   */
  show(token, element, aloud, explain) {
    this.release();
    this.explain = explain;
    this.element = element;
    element.classList.add('current');
    document.body.classList.add('has-token');
    this.none.hidden = true;
    this.details.hidden = false;
    const exit = token.exit === 'final'
      ? `final layer (${this.model.layers})`
      : `layer ${token.exit} of ${this.model.layers}`;
    this.text.textContent = visible(token.text);
    this.id.textContent = `id ${token.id}`;
    this.facts.replaceChildren(
      // on one line, for whether a token was drafted depends on the time and must not move the rest
      ...fact('Exit', token.drafted ? `${exit}, drafted` : exit),
      ...fact('Confidence', percent(token.confidence), token.confidence));
    this.table.hidden = token.top.length === 0;
    this.table.tBodies[0].replaceChildren(...token.top.map(([text, probability]) => alternative(text, probability)));
    if (aloud) {
      this.announcer.textContent = `${token.text.trim() || visible(token.text)}: ${exit}, ${percent(token.confidence)}`;
    }
  }

  release() {
    this.element?.classList.remove('current');
    this.element = null;
  }

  clear() {
    this.release();
    document.body.classList.remove('has-token');
    this.none.hidden = false;
    this.details.hidden = true;
  }
}

/** With signs for what has no shape. */
export function visible(text) {
  return text === '' ? '(no character of its own)' : text.replace(/[ \n\t]/g, sign => SPACES[sign]);
}

export function percent(probability) {
  return `${(100 * probability).toFixed(1)} %`;
}

function bar(probability) {
  const element = document.createElement('span');
  element.className = 'gauge';
  element.style.setProperty('--share', Math.min(1, probability));
  return element;
}

function fact(name, value, probability) {
  const term = document.createElement('dt');
  const description = document.createElement('dd');
  term.textContent = name;
  description.textContent = value;
  if (probability !== undefined) {
    description.append(bar(probability));
  }
  return [term, description];
}

export function alternative(text, probability) {
  const row = document.createElement('tr');
  const word = document.createElement('th');
  const value = document.createElement('td');
  const code = document.createElement('code');
  word.scope = 'row';
  code.textContent = visible(text);
  word.append(code, bar(probability));
  value.textContent = percent(probability);
  row.append(word, value);
  return row;
}
