// The official openai package against a server of Sortie: node openai_client.cjs URL MODEL, with the package on NODE_PATH. Exits with 0 if all is as it should be.
const assert = require("node:assert/strict");
const OpenAI = require("openai");
const { zodFunction, zodResponseFormat, zodTextFormat } = require("openai/helpers/zod");
const { z } = require("zod");

const [url, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL: url + "/v1", apiKey: "unused", maxRetries: 0 });
const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "Once upon a time" }];
const Animal = z.object({
  kind: z.enum(["fox", "hen"]),
  legs: z.number().int().min(0).max(8),
  name: z.string().max(8),
  tame: z.boolean().nullable(),
});

async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

async function chat() {
  const asked = { model, messages, temperature: 0, max_completion_tokens: 20 };
  const plain = await client.chat.completions.create(asked);
  assert.equal(plain.object, "chat.completion");
  assert.equal(plain.model, model);
  const choice = plain.choices[0];
  assert(["stop", "length"].includes(choice.finish_reason));
  assert.equal(choice.message.role, "assistant");
  assert(plain.usage.completion_tokens <= 20);
  const chunks = await all(await client.chat.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } }));
  const text = chunks.map((c) => c.choices[0]?.delta.content ?? "").join("");
  assert.equal(text, choice.message.content);
  assert.equal(chunks.at(-1).usage.completion_tokens, plain.usage.completion_tokens);
  const deltas = [];
  await client.chat.completions.stream(asked).on("content", (delta) => deltas.push(delta)).done();
  assert.equal(deltas.join(""), text);
  const rich = await client.chat.completions.create({
    model, messages, seed: 3, n: 2, max_tokens: 5, logprobs: true, top_logprobs: 3, stop: ["zzz"],
    logit_bias: { 5: -10 }, presence_penalty: 0.5, frequency_penalty: 0.5, user: "someone", sortie: { trace: true },
  });
  assert.equal(rich.choices.length, 2);
  assert(rich.choices[0].logprobs.content.every((t) => t.top_logprobs.length === 3 && t.logprob <= 0));
  assert.deepEqual(rich.sortie.ignored, ["user"]);
  assert.equal(rich.sortie.trace.length, rich.usage.completion_tokens);
  const broken = new AbortController();
  const cut = await client.chat.completions.create({ ...asked, max_completion_tokens: 200, stream: true }, { signal: broken.signal });
  for await (const chunk of cut) if (chunk.choices[0].delta.content) broken.abort();
}

async function completions() {
  const asked = { model, prompt: "Once upon a time", temperature: 0, max_tokens: 12 };
  const text = (await client.completions.create(asked)).choices[0].text;
  const streamed = await all(await client.completions.create({ ...asked, stream: true }));
  assert.equal(streamed.map((c) => c.choices[0].text).join(""), text);
  const echo = (await client.completions.create({ ...asked, max_tokens: 0, echo: true, logprobs: 1 })).choices[0];
  assert.equal(echo.text, "Once upon a time");
  assert.equal(echo.logprobs.tokens.join(""), echo.text);
  assert.equal(echo.logprobs.token_logprobs[0], null);
}

async function responses() {
  const asked = { model, instructions: "Be brief.", input: "Once upon a time", temperature: 0, max_output_tokens: 16 };
  const plain = await client.responses.create(asked);
  assert(["completed", "incomplete"].includes(plain.status));
  assert(plain.output_text);
  const events = await all(await client.responses.create({ ...asked, stream: true }));
  assert.deepEqual(events.map((e) => e.sequence_number), events.map((_, i) => i));
  assert.equal(events.filter((e) => e.type === "response.output_text.delta").map((e) => e.delta).join(""), plain.output_text);
  assert.equal(events.at(-1).type, "response." + plain.status);
  assert.deepEqual(events.at(-1).response.usage, plain.usage);
}

async function structured() {
  for (const seed of [0, 1, 2]) {
    const asked = { model, messages, seed, max_completion_tokens: 400 };
    const parsed = await client.chat.completions.parse({ ...asked, response_format: zodResponseFormat(Animal, "animal") });
    assert.equal(parsed.choices[0].finish_reason, "stop");
    Animal.parse(parsed.choices[0].message.parsed);
    const tools = [zodFunction({ name: "animal", parameters: Animal })];
    for (const tool_choice of ["required", { type: "function", function: { name: "animal" } }]) {
      const called = await client.chat.completions.parse({ ...asked, tools, tool_choice });
      Animal.parse(called.choices[0].message.tool_calls[0].function.parsed_arguments);
      const streamed = await client.chat.completions.stream({ ...asked, tools, tool_choice }).finalChatCompletion();
      assert.deepEqual(streamed.choices[0].message.tool_calls[0].function.parsed_arguments, called.choices[0].message.tool_calls[0].function.parsed_arguments);
    }
    const response = await client.responses.parse({ model, input: "A fox", max_output_tokens: 400, seed, text: { format: zodTextFormat(Animal, "animal") } });
    Animal.parse(response.output_parsed);
    const known = await client.completions.create({ model, prompt: "Is it?", grammar: 'root ::= " yes" | " no"', seed });
    assert([" yes", " no"].includes(known.choices[0].text));
  }
}

async function embeddings() {
  const vectors = await client.embeddings.create({ model, input: ["a fox", "a hen"] });
  assert.equal(vectors.data.length, 2);
  for (const { embedding } of vectors.data) assert(Math.abs(embedding.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-5);
  const floats = (await client.embeddings.create({ model, input: "a fox", encoding_format: "float" })).data[0].embedding;
  floats.forEach((x, i) => assert(Math.abs(x - vectors.data[0].embedding[i]) < 1e-7));
}

async function models() {
  assert.deepEqual((await all(client.models.list())).map((m) => m.id), [model]);
  assert.equal((await client.models.retrieve(model)).owned_by, "sortie");
}

async function errors() {
  const refused = (type, param, fields) =>
    assert.rejects(client.chat.completions.create({ model, messages, ...fields }), (e) => e instanceof type && e.param === param);
  await refused(OpenAI.NotFoundError, "model", { model: "gpt-4o" });
  await refused(OpenAI.BadRequestError, "temperature", { temperature: 9 });
  await refused(OpenAI.BadRequestError, "messages", { messages: [] });
  await refused(OpenAI.BadRequestError, "tool_choice", { tool_choice: "required" });
  await refused(OpenAI.BadRequestError, "tools", { tools: [{ type: "function", function: { name: "f" } }] }); // the template does not write them down
}

async function main() {
  for (const part of [chat, completions, responses, structured, embeddings, models, errors]) {
    await part();
    console.log(part.name, "as it should be");
  }
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
