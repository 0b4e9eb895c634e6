// The page: asks for a key where one is needed, then talks.

import {answer as ask, ApiError, props} from './api.js';
import {AnswerView} from './answer.js';
import {Conversation, text} from './conversation.js';
import {differing} from './difference.js';
import {Inspector} from './inspector.js';
import {Meter} from './meter.js';
import {Settings} from './settings.js';
import {Typing} from './typing.js';
import {Way} from './way.js';

const KEY = 'sortie.key';
const NEAR_END_PIXELS = 80;
const $ = id => document.getElementById(id);

/** What is served; asks for the key until the server takes it. */
async function connect() {
  for (;;) {
    try {
      return await props(sessionStorage.getItem(KEY));
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) {
        throw error;
      }
      await askForKey(sessionStorage.getItem(KEY) ? 'The server does not know this key.' : '');
    }
  }
}

/** Resolves when a key was given. */
function askForKey(complaint) {
  const dialog = $('key-dialog');
  $('key-error').textContent = complaint;
  $('key-error').hidden = !complaint;
  dialog.oncancel = event => event.preventDefault();
  dialog.onclose = () => dialog.showModal(); // a browser closes it at the second Escape all the same
  dialog.showModal();
  return new Promise(resolve => {
    $('key-form').onsubmit = event => {
      event.preventDefault();
      sessionStorage.setItem(KEY, $('key').value);
      $('key').value = '';
      dialog.onclose = null;
      dialog.close();
      resolve();
    };
  });
}

class Chat {
  constructor(model) {
    this.model = model;
    this.conversation = Conversation.load();
    this.settings = new Settings(model);
    this.inspector = new Inspector(model);
    this.meter = new Meter(model);
    this.typing = new Typing(model);
    this.way = new Way(model);
    this.running = null;
    this.describeModel();
    this.conversation.turns.forEach(turn => this.showTurn(turn));
    const last = this.conversation.turns.at(-1)?.answers.at(-1);
    if (last) {
      this.meter.end(last);
    }
    this.listen();
    this.scroll(true);
    $('message').focus();
  }

  describeModel() {
    const {model, layers, exits, has_chat_template: chats} = this.model;
    const depths = exits.length ? `exits at ${exits.join(', ')}` : 'no exits';
    $('model').textContent = `${model} · ${layers} layers · ${depths}`;
    $('message').placeholder = chats ? 'Message' : 'A text to continue';
    $('hint').textContent = chats ? '' : `${model} has no chat template: it continues each message as a text.`;
  }

  listen() {
    const message = $('message');
    $('composer').addEventListener('submit', event => {
      event.preventDefault();
      this.send();
    });
    message.addEventListener('keydown', event => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      }
    });
    message.addEventListener('input', () => {
      grow(message);
      this.typed();
    });
    $('stop').addEventListener('click', () => this.stop());
    $('new').addEventListener('click', () => this.clear());
    addEventListener('keydown', event => {
      if (event.key === 'Escape' && !document.querySelector('dialog[open]')) {
        this.running ? this.stop() : this.inspector.clear();
      }
    });
    addEventListener('pagehide', () => {
      this.stop(); // or the connection's end would be shown as an error after a reload
      this.conversation.save();
    });
  }

  /** What is written so far, as it would be sent. */
  written() {
    return this.model.has_chat_template ? $('message').value.trim() : $('message').value;
  }

  typed() {
    const prompt = this.written();
    if (!this.settings.values().live || this.running || !prompt.trim()) {
      this.typing.stop();
      return;
    }
    this.typing.changed(this.conversation.messages({prompt}), this.settings.ways(), sessionStorage.getItem(KEY));
  }

  stop() {
    this.running?.abort();
  }

  clear() {
    this.stop();
    this.conversation = new Conversation();
    this.conversation.save();
    this.inspector.clear();
    this.meter.clear();
    document.querySelectorAll('.turn').forEach(turn => turn.remove());
    $('empty').hidden = false;
    $('message').focus();
  }

  showTurn(turn) {
    $('empty').hidden = true;
    const element = document.createElement('article');
    element.className = 'turn';
    const prompt = document.createElement('p');
    prompt.className = 'prompt';
    prompt.textContent = turn.prompt;
    const answers = document.createElement('div');
    answers.className = 'answers';
    element.append(prompt, answers);
    const views = turn.answers.map(each => new AnswerView(each, this.model, this.inspector, index => this.explain(turn, each, index)));
    views.forEach(view => answers.append(view.element));
    compare(views);
    $('log').append(element);
    return views;
  }

  explain(turn, answer, index) {
    this.way.open(answer, index, this.conversation.messages(turn), sessionStorage.getItem(KEY));
  }

  /** Sends what was written, and shows the answers as they come, one after the other. */
  async send() {
    const prompt = this.written();
    if (this.running || !prompt.trim()) {
      return;
    }
    this.typing.stop();
    $('message').value = '';
    grow($('message'));
    const conversation = this.conversation;
    const turn = {prompt, answers: this.settings.ways().map(how => ({how, tokens: [], seconds: 0, finish: null}))};
    conversation.turns.push(turn);
    const views = this.showTurn(turn);
    const messages = conversation.messages(turn);
    const running = new AbortController();
    this.running = running;
    this.speaking(true);
    this.scroll(true);
    for (const view of views) {
      await this.speak(view, messages, running.signal);
    }
    this.running = null;
    this.speaking(false);
    if (conversation === this.conversation) {
      this.stay(() => compare(views));
      this.finished(turn);
    }
  }

  /** One answer of the server, token by token. */
  async speak(view, messages, signal) {
    const {answer} = view;
    this.meter.clear();
    view.element.classList.add('speaking');
    let first = null;
    try {
      const pieces = ask(this.model, messages, answer.how, sessionStorage.getItem(KEY), signal);
      for await (const piece of pieces) {
        if (piece.finish) {
          answer.finish = piece.finish;
          continue;
        }
        first ??= performance.now();
        answer.seconds = (performance.now() - first) / 1000;
        this.stay(() => view.add(piece));
        this.meter.add(piece);
      }
    } catch (error) {
      answer.finish = signal.aborted ? 'stopped' : 'failed';
      answer.error = signal.aborted ? undefined : `No answer: ${error.message}`;
    }
    view.element.classList.remove('speaking');
    this.stay(() => view.describe());
    if (answer.tokens.length && this.conversation.turns.some(turn => turn.answers.includes(answer))) {
      this.meter.end(answer);
    }
  }

  finished(turn) {
    const kept = this.conversation.save();
    const said = turn.answers.map(each => each.error ?? text(each)).join('\n');
    $('status').textContent = kept ? said : `${said}\nThe conversation is too long to be kept when the page is loaded again.`;
    const at = document.activeElement;
    if (at === document.body || [$('message'), $('send'), $('stop')].includes(at)) { // and nowhere of the reader's own choice
      $('message').focus({preventScroll: true});
    }
  }

  speaking(on) {
    $('send').hidden = on;
    $('stop').hidden = !on;
    $('log').setAttribute('aria-busy', String(on));
    if (on) {
      $('status').textContent = 'The model answers.';
    }
  }

  /** Changes the log, whose end stays in view if it was. */
  stay(change) {
    const log = $('log');
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PIXELS;
    change();
    this.scroll(near);
  }

  scroll(toEnd) {
    if (toEnd) {
      $('log').scrollTop = $('log').scrollHeight;
    }
  }
}

/** Marks what two answers to one prompt do not have in common, if both came to their end. */
function compare(views) {
  const ended = ({finish, tokens}) => finish && finish !== 'stopped' && finish !== 'failed' && tokens.length;
  if (views.length === 2 && views.every(view => ended(view.answer))) {
    const ids = views.map(view => view.answer.tokens.map(token => token.id));
    differing(...ids).forEach((indices, i) => views[i].mark(indices));
  }
}

/** As high as its text, within limits that the style sheet sets. */
function grow(area) {
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight + 2}px`;
}

connect().then(
  model => new Chat(model),
  error => {
    $('model').textContent = `Cannot reach the server: ${error.message}. Load the page again.`;
  });
