// How one token was chosen: the way of the token before it through the layers.

import {explain} from './api.js';
import {alternative, percent, visible} from './inspector.js';
import {tint} from './meter.js';

const COLUMNS = ['Layer', 'Computed', 'Rows', 'KV cache', 'Time'];

export class Way {
  /** @param model what `/props` says */
  constructor(model) {
    this.model = model;
    this.dialog = document.getElementById('way');
    this.title = document.getElementById('way-title');
    this.lead = document.getElementById('way-lead');
    this.body = document.getElementById('way-body');
    this.asking = null;
    document.getElementById('way-close').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => this.asking?.abort());
  }

  /**
   * Asks the server and shows what it says.
   *
   * @param answer whose token it is
   * @param index which token, from 0
   * @param messages the conversation up to that answer
   */
  async open(answer, index, messages, key) {
    const asking = new AbortController();
    this.asking = asking;
    this.title.textContent = visible(answer.tokens[index].text);
    this.lead.className = '';
    this.lead.textContent = 'The server writes the text once more, up to this token…';
    this.body.replaceChildren();
    this.dialog.showModal();
    try {
      const found = await explain(this.model, messages, answer.how, index + 1, key, asking.signal);
      if (found.token.id !== answer.tokens[index].id) {
        throw new Error(`the text is another now, with “${visible(found.token.text)}” here; has the server been started anew?`);
      }
      this.show(found);
    } catch (error) {
      if (!asking.signal.aborted) {
        this.lead.className = 'error';
        this.lead.textContent = `No explanation: ${error.message}`;
      }
    }
  }

  show(found) {
    const {token, reads, layers, exits} = found;
    const by = token.exit === 'final' ? 'by the final layer' : `by the exit after layer ${token.exit}`;
    const before = token.number === 1 ? 'the last token of the prompt' : `token ${token.number - 1}`;
    const prompt = token.number === 1 && exits.length ? ' A prompt is read at full depth, so no exit was asked.' : '';
    this.lead.textContent = `Token ${token.number} was chosen ${by}. It follows ${before}, “${visible(reads.text)}” at position ${reads.position}; this is that token’s way through the layers.${prompt}`;
    const longest = Math.max(...layers.map(layer => layer.seconds));
    const rows = layers.flatMap(layer => [
      ...layerRows(layer, token.number, longest),
      ...exits.filter(exit => exit.exit === layer.layer).map(exit => this.exitRow(exit)),
    ]);
    const table = element('table', 'layers');
    const head = table.createTHead().insertRow();
    COLUMNS.forEach(name => head.append(header(name, 'col')));
    table.createTBody().append(...rows, this.finalRow(found));
    const kernels = element('p', 'note');
    kernels.textContent = `Kernels: ${found.kernel_set}. Times are in kernels, the least of several passes. Choose a layer to see its kernels.`;
    this.body.replaceChildren(later(found), table, kernels);
  }

  exitRow(exit) {
    const row = headRow(`Exit after layer ${exit.exit}`, verdict(exit), exit);
    tint(row.querySelector('.likely'), exit.exit, this.model);
    row.classList.toggle('taken', exit.asked === 'taken');
    return row;
  }

  finalRow(found) {
    return headRow('Final layer', `${percent(found.final.confidence)}`, found.final);
  }
}

/** What was computed later, in a sentence. */
function later(found) {
  const paragraph = element('p', 'later');
  const parts = found.deferred.map(({first_layer: first, last_layer: last, token, rows}) => {
    const layers = first === last ? `Layer ${first}` : `Layers ${first} to ${last}`;
    return token === null
      ? `${layers}: never computed, since the text ended.`
      : `${layers}: computed later, with token ${token}, for ${rows} tokens at once.`;
  });
  paragraph.textContent = parts.length ? parts.join(' ') : 'No layer was left for later.';
  return paragraph;
}

/** The row of a layer, and the hidden one with its kernels. */
function layerRows(layer, number, longest) {
  const row = document.createElement('tr');
  const kernels = document.createElement('tr');
  const name = header('', 'row');
  const button = element('button', 'quiet');
  button.type = 'button';
  button.textContent = layer.layer;
  button.setAttribute('aria-expanded', 'false');
  button.setAttribute('aria-label', `Layer ${layer.layer}: kernels`);
  button.disabled = layer.token === null;
  name.append(button);
  row.append(
    name,
    cell(layer.token === null ? 'never' : layer.token === number ? 'now' : `with token ${layer.token}`),
    cell(layer.rows),
    cell(layer.kv_cache ? kib(layer.kv_cache.bytes) : '–'),
    timeCell(layer.seconds, longest));
  row.className = layer.token === number ? 'now' : 'later';
  kernels.className = 'kernels';
  kernels.hidden = true;
  button.addEventListener('click', () => {
    if (!kernels.firstChild) {
      kernels.append(wide(kernelTable(layer.kernels)));
    }
    kernels.hidden = !kernels.hidden;
    button.setAttribute('aria-expanded', String(!kernels.hidden));
  });
  return [row, kernels];
}

function kernelTable(kernels) {
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  ['Kernel', 'Reads', 'Weights', 'Writes', 'Time'].forEach(name => head.append(header(name, 'col')));
  const body = table.createTBody();
  kernels.forEach(kernel => {
    const row = body.insertRow();
    const name = header('', 'row');
    const code = element('code');
    code.textContent = kernel.kernel;
    name.append(code);
    row.append(name, cell(shapes(kernel.in)), cell(weights(kernel.weights)), cell(shapes(kernel.out)), cell(micros(kernel.seconds)));
  });
  const frame = element('div', 'calls');
  frame.append(table);
  return frame;
}

/** A row with a head's distribution. */
function headRow(name, what, head) {
  const row = element('tr', 'head');
  const card = element('div', 'likely');
  const title = element('p');
  const strong = element('b');
  const table = document.createElement('table');
  strong.textContent = name;
  title.append(strong, ` ${what} · ${micros(head.seconds)}`);
  table.createTBody().append(...head.top.map(({text, probability}) => alternative(text, probability)));
  card.append(title, table);
  row.append(wide(card));
  return row;
}

function verdict(exit) {
  const sure = exit.threshold === null ? percent(exit.confidence) : `${percent(exit.confidence)} sure, threshold ${percent(exit.threshold)}`;
  const would = exit.leaves ? 'would have left' : 'would have gone deeper';
  const how = {taken: 'the token left here', passed: 'the token went deeper', below: would, skipped: `not evaluated for the answer, ${would}`};
  return `${sure}: ${how[exit.asked]}`;
}

function wide(content) {
  const all = cell('');
  all.colSpan = COLUMNS.length;
  all.append(content);
  return all;
}

function timeCell(seconds, longest) {
  const time = cell(micros(seconds));
  const bar = element('span', 'gauge');
  bar.style.setProperty('--share', longest ? seconds / longest : 0);
  time.append(bar);
  return time;
}

function shapes(list) {
  return list.map(shape => shape.join('×')).join(', ');
}

function weights(list) {
  const names = list.map(weight => weight.name.replace(/\.weight$/, '').replace(/^.*\./, ''));
  const types = [...new Set(list.map(weight => weight.type))];
  return [...names, ...types].join(' ');
}

function micros(seconds) {
  const micro = 1e6 * seconds;
  return micro < 1000 ? `${micro.toFixed(micro < 10 ? 1 : 0)} µs` : `${(micro / 1000).toFixed(2)} ms`;
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

function element(name, className = '') {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function header(text, scope) {
  const made = element('th');
  made.scope = scope;
  made.textContent = text;
  return made;
}

function cell(text) {
  const made = element('td');
  made.textContent = text;
  return made;
}
