// The server's API: what is served, and answers as streams of tokens.

/** An answer of the server that says why there is none. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function headers(key) {
  return key ? {'Content-Type': 'application/json', Authorization: `Bearer ${key}`} : {'Content-Type': 'application/json'};
}

async function refusal(response) {
  const body = await response.json().catch(() => null);
  return new ApiError(response.status, body?.error?.message ?? `the server answered with status ${response.status}`);
}

/** The object of `/props`. */
export async function props(key) {
  const response = await fetch('props', {headers: headers(key)});
  if (!response.ok) {
    throw await refusal(response);
  }
  return response.json();
}

/** The events of a stream, parsed. */
async function* events(path, body, key, signal) {
  const response = await fetch(path, {method: 'POST', headers: headers(key), body: JSON.stringify(body), signal});
  if (!response.ok) {
    throw await refusal(response);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) {
      throw new Error('the connection ended before the answer did');
    }
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split('\n').filter(line => line.startsWith('data: ')).map(line => line.slice(6)).join('\n');
      if (data === '[DONE]') {
        return;
      }
      if (data) {
        const event = JSON.parse(data);
        if (event.error) {
          throw new ApiError(500, event.error.message);
        }
        yield event;
      }
    }
  }
}

/** Alternatives of the event's token: `[text, probability]`, the likeliest first. */
function alternatives(choice) {
  const chat = choice.logprobs?.content?.[0]?.top_logprobs;
  const pairs = chat
    ? chat.map(entry => [entry.token, entry.logprob])
    : Object.entries(choice.logprobs?.top_logprobs?.[0] ?? {});
  return pairs.map(([text, logprob]) => [text, Math.exp(logprob)]).sort((a, b) => b[1] - a[1]);
}

/** The fields that decide which text is generated. */
function textOf(model, messages, how) {
  const prompt = model.has_chat_template ? {messages} : {prompt: messages.at(-1).content};
  const sortie = how.strategy === 'early-exit' ? {strategy: 'early-exit', threshold: how.threshold} : {strategy: 'full'};
  return {model: model.model, ...prompt, temperature: how.temperature, seed: how.seed, sortie};
}

/** How a token of an answer was chosen: the object of `/explain`; tokens count from 1. */
export async function explain(model, messages, how, token, key, signal) {
  const body = JSON.stringify({...textOf(model, messages, how), token});
  const response = await fetch('explain', {method: 'POST', headers: headers(key), body, signal});
  if (!response.ok) {
    throw await refusal(response);
  }
  return response.json();
}

/** Has the server read messages into its cache, of which the last may be a beginning. */
export async function read(model, messages, how, key, signal) {
  const path = model.has_chat_template ? 'v1/chat/completions' : 'v1/completions';
  const body = JSON.stringify({...textOf(model, messages, how), max_tokens: 0});
  const response = await fetch(path, {method: 'POST', headers: headers(key), body, signal});
  if (!response.ok) {
    throw await refusal(response);
  }
}

/**
 * An answer, piece by piece: `{text, id, exit, confidence, drafted, top}` for a token, `{finish}`
 * at its end. A model without a chat template continues the last message as a text.
 *
 * @param model what `/props` says
 * @param messages the conversation, with the new message last
 * @param how `strategy`, `threshold`, `temperature`, `longest`, `seed`
 */
export async function* answer(model, messages, how, key, signal) {
  const text = textOf(model, messages, how);
  const common = {...text, stream: true, max_tokens: how.longest, sortie: {...text.sortie, trace: true}};
  const [path, body] = model.has_chat_template
    ? ['v1/chat/completions', {...common, logprobs: true, top_logprobs: 5}]
    : ['v1/completions', {...common, logprobs: 5}];
  for await (const event of events(path, body, key, signal)) {
    const choice = event.choices[0];
    for (const token of event.sortie?.trace ?? []) {
      yield {
        text: token.text,
        id: token.id,
        exit: token.exit,
        confidence: token.confidence,
        drafted: token.source !== 'model',
        top: alternatives(choice),
      };
    }
    if (choice.finish_reason) {
      yield {finish: choice.finish_reason};
    }
  }
}
