// The conversation, and how it outlives a reload of the page.

const PLACE = 'sortie.conversation';

/** Turns, each `{prompt, answers}`; an answer is `{how, tokens, seconds, finish, error}`. */
export class Conversation {
  constructor(turns = []) {
    this.turns = turns;
  }

  static load() {
    try {
      const turns = JSON.parse(sessionStorage.getItem(PLACE)) ?? [];
      turns.flatMap(turn => turn.answers).forEach(answer => {
        answer.finish ??= 'stopped'; // the page was left while it came
      });
      return new Conversation(turns);
    } catch {
      return new Conversation(); // written by another version of this page
    }
  }

  /** Keeps it; whether all fits. Alternatives of tokens are given up before words are. */
  save() {
    const bare = (name, value) => (name === 'top' ? [] : value);
    return this.write(JSON.stringify(this.turns)) || this.write(JSON.stringify(this.turns, bare));
  }

  write(json) {
    try {
      sessionStorage.setItem(PLACE, json);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * As the API wants it, up to and with the prompt of a turn, which may still have to be added. The
   * first answer of each turn counts; a turn without one is left out.
   */
  messages(last) {
    const place = this.turns.indexOf(last);
    const before = this.turns.slice(0, place < 0 ? this.turns.length : place).filter(turn => text(turn.answers[0]));
    return [
      ...before.flatMap(turn => [
        {role: 'user', content: turn.prompt},
        {role: 'assistant', content: text(turn.answers[0])},
      ]),
      {role: 'user', content: last.prompt},
    ];
  }
}

/** The words of an answer. */
export function text(answer) {
  return answer.tokens.map(token => token.text).join('');
}

/** The depth that a token needed. */
export function depthOf(token, layers) {
  return token.exit === 'final' ? layers : token.exit;
}
