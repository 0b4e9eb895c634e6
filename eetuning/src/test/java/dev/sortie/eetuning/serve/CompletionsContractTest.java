package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the two endpoints of completions give is what the model gives alone, field by field. */
class CompletionsContractTest extends ServedContract {
  private static final String TEXT = "/v1/completions";
  private static final String CHAT = "/v1/chat/completions";
  private static final String PROMPT = "The fox ran over the hill and";

  private static Generation alone(
      String prompt, ExitPolicy policy, int tokens, SamplingOptions sampling, String... stop) {
    return tiny.alone(
        tiny.model.tokenizer().encode(prompt),
        policy,
        new GenerateOptions(tokens, sampling, List.of(stop), false));
  }

  private static JsonObject choice(RawClient.Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json().getObjects("choices").getFirst();
  }

  private static String streamed(RawClient.Answer answer, String... path) {
    StringBuilder text = new StringBuilder();
    for (JsonObject event : answer.events()) {
      for (JsonObject c : event.getObjects("choices")) {
        JsonObject at = path.length == 1 ? c : c.getObject(path[0]);
        at.optional(path[path.length - 1], at::getString).ifPresent(text::append);
      }
    }
    return text.toString();
  }

  /** Ten requests at once, each with another way of sampling and of leaving, plain and streamed. */
  @Test
  void eachAnswerIsTheTextGeneratedAloneWhateverElseIsAskedFor() throws Exception {
    List<Future<RawClient.Answer>> answers = new ArrayList<>();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 10; i++) {
        String json =
            """
            {"prompt":"%s","max_tokens":40,"temperature":%s,"seed":%d,"repetition_penalty":1.1,
             "stop":["fox"],"stream":%s,"sortie":{"threshold":%s,"trace":true}}"""
                .formatted(PROMPT, i / 5.0, i, i % 2 == 1, i % 3 == 0 ? "1" : "0.05");
        answers.add(clients.submit(() -> tiny.post(TEXT, json)));
      }
    }
    for (int i = 0; i < 10; i++) {
      RawClient.Answer answer = answers.get(i).get();
      assertThat(answer.status()).isEqualTo(200);
      Generation expected =
          alone(
              PROMPT,
              new MaxProbability(i % 3 == 0 ? 1 : 0.05),
              40,
              new SamplingOptions(i / 5.0, 0, 1, 0, 1.1, i),
              "fox");
      List<JsonObject> trace = new ArrayList<>();
      if (i % 2 == 1) {
        assertThat(streamed(answer, "text")).isEqualTo(expected.text());
        assertThat(answer.body()).endsWith("data: [DONE]\n\n");
        answer.events().stream()
            .map(e -> e.getObject("sortie"))
            .filter(s -> s.has("trace"))
            .forEach(s -> trace.addAll(s.getObjects("trace")));
      } else {
        assertThat(choice(answer).getString("text")).isEqualTo(expected.text());
        assertThat(choice(answer).getString("finish_reason")).isEqualTo(expected.finish());
        trace.addAll(answer.json().getObject("sortie").getObjects("trace"));
      }
      assertTrace(trace, expected.tokens());
    }
  }

  private static void assertTrace(List<JsonObject> trace, List<GeneratedToken> expected) {
    assertThat(trace).hasSameSizeAs(expected);
    for (int i = 0; i < trace.size(); i++) {
      GeneratedToken token = expected.get(i);
      assertThat(trace.get(i).fields())
          .containsEntry("id", (long) token.id())
          .containsEntry("text", token.text())
          .containsEntry(
              "exit", token.exit().isPresent() ? (Object) (long) token.exit().getAsInt() : "final")
          .containsEntry("confidence", token.confidence());
    }
  }

  /** A client sends what is typed so far, so that the whole message finds its beginning read. */
  @ParameterizedTest
  @ValueSource(strings = {"{\"strategy\":\"full\"}", "{\"threshold\":0.05,\"trace\":true}"})
  void aMessageThatWasReadWhileItWasTypedIsAnsweredAsAWhole(String sortie) {
    String words = "The hen sang a song of the hill under the tree. ".repeat(20);
    String json =
        """
        {"messages":[{"role":"user","content":"%s"}],"max_tokens":%d,"temperature":0.8,"seed":3,
         "stream":%s,"sortie":%s}""";
    int cached = 0;
    String message = "";
    for (int to = 200; to <= words.length(); to += 200) {
      message = sortie.length() + " " + words.substring(0, to);
      RawClient.Answer read = tiny.post(CHAT, json.formatted(message + "fo", 0, false, sortie));
      JsonObject choice = choice(read);
      assertThat(choice.getObject("message").getString("content")).isEmpty();
      assertThat(choice.getString("finish_reason")).isEqualTo("length");
      JsonObject usage = read.json().getObject("usage");
      assertThat(usage.getInt("completion_tokens", 0, 1)).isZero();
      int found = usage.getObject("prompt_tokens_details").getInt("cached_tokens", 0, 10_000);
      assertThat(found).isGreaterThanOrEqualTo(cached);
      cached = found;
    }
    RawClient.Answer answer = tiny.post(CHAT, json.formatted(message, 30, false, sortie));
    JsonObject usage = answer.json().getObject("usage");
    int prompt = usage.getInt("prompt_tokens", 1, 10_000);
    int found = usage.getObject("prompt_tokens_details").getInt("cached_tokens", 0, 10_000);
    assertThat(prompt - found).isLessThan(2 * 64 + 17);
    int[] ids =
        tiny.template.encode(
            List.of(ChatMessage.of("user", message)), ChatOptions.DEFAULT, tiny.model.tokenizer());
    Generation expected =
        tiny.alone(
            ids,
            new MaxProbability(sortie.contains("full") ? 1 : 0.05),
            new GenerateOptions(30, new SamplingOptions(0.8, 0, 1, 0, 1, 3), List.of(), false));
    assertThat(choice(answer).getObject("message").getString("content")).isEqualTo(expected.text());
    if (sortie.contains("trace")) {
      assertTrace(answer.json().getObject("sortie").getObjects("trace"), expected.tokens());
    }
    RawClient.Answer stream = tiny.post(CHAT, json.formatted(message, 0, true, sortie));
    assertThat(streamed(stream, "delta", "content")).isEmpty();
    assertThat(stream.body()).contains("\"finish_reason\":\"length\"").endsWith("[DONE]\n\n");
  }

  @Test
  void aConversationIsWrittenDownByTheTemplate() {
    String json =
        """
        {"model":"tiny","messages":[{"role":"developer","content":"Be brief."},
         {"role":"user","content":[{"type":"text","text":"Where is "},{"type":"text","text":"the fox?"}]}],
         "max_completion_tokens":30,"temperature":0}""";
    int[] prompt =
        tiny.template.encode(
            List.of(
                ChatMessage.of("system", "Be brief."), ChatMessage.of("user", "Where is the fox?")),
            ChatOptions.DEFAULT,
            tiny.model.tokenizer());
    Generation expected =
        tiny.alone(
            prompt,
            new MaxProbability(1),
            new GenerateOptions(30, SamplingOptions.GREEDY, List.of(), false));
    RawClient.Answer plain = tiny.post(CHAT, json);
    assertThat(choice(plain).getObject("message").getString("content")).isEqualTo(expected.text());
    JsonObject usage = plain.json().getObject("usage");
    assertThat(usage.getInt("prompt_tokens", 0, 1000)).isEqualTo(prompt.length);
    assertThat(usage.getInt("completion_tokens", 0, 1000)).isEqualTo(expected.tokens().size());
    RawClient.Answer stream =
        tiny.post(
            CHAT,
            json.replace(
                "{\"model\"",
                "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\""));
    assertThat(streamed(stream, "delta", "content")).isEqualTo(expected.text());
    List<JsonObject> events = stream.events();
    assertThat(events.getFirst().getObjects("choices").getFirst().getObject("delta").fields())
        .containsEntry("role", "assistant");
    assertThat(events.getLast().getObject("usage").getInt("prompt_tokens", 0, 1000))
        .isEqualTo(prompt.length);
  }

  @Test
  void eachChoiceHasASeedOfItsOwn() {
    RawClient.Answer answer =
        tiny.post(
            TEXT,
            "{\"prompt\":[\"%s\",\"The hen\"],\"n\":3,\"seed\":5,\"max_tokens\":12}"
                .formatted(PROMPT));
    List<JsonObject> choices = answer.json().getObjects("choices");
    assertThat(choices).hasSize(6);
    for (int i = 0; i < 6; i++) {
      String prompt = i < 3 ? PROMPT : "The hen";
      assertThat(choices.get(i).getInt("index", 0, 5)).isEqualTo(i);
      assertThat(choices.get(i).getString("text"))
          .isEqualTo(
              alone(
                      prompt,
                      new MaxProbability(1),
                      12,
                      new SamplingOptions(1, 0, 1, 0, 1, 5 + i % 3))
                  .text());
    }
    int prompts =
        tiny.model.tokenizer().encode(PROMPT).length
            + tiny.model.tokenizer().encode("The hen").length;
    assertThat(answer.json().getObject("usage").getInt("prompt_tokens", 0, 99)).isEqualTo(prompts);
  }

  /** Against a pass over the whole text without a cache, in double precision. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anEchoHasTheProbabilitiesOfThePrompt(boolean stream) {
    int[] prompt = IntStream.range(0, 150).map(i -> (i * i + 3 * i) % 250).toArray();
    RawClient.Answer answer =
        tiny.post(
            TEXT,
            "{\"prompt\":%s,\"max_tokens\":%d,\"echo\":true,\"logprobs\":2,\"temperature\":0,\"stream\":%s}"
                .formatted(IntStream.of(prompt).boxed().toList(), stream ? 1 : 0, stream));
    JsonObject logprobs =
        stream
            ? answer.events().getFirst().getObjects("choices").getFirst().getObject("logprobs")
            : choice(answer).getObject("logprobs");
    List<?> found = logprobs.getList("token_logprobs");
    assertThat(found).hasSize(150);
    assertThat(found.getFirst()).isNull();
    double[][] expected = logSoftmax(prompt);
    for (int i = 1; i < prompt.length; i++) {
      assertThat((Double) found.get(i)).isCloseTo(expected[i - 1][prompt[i]], within(1e-4));
      double best = java.util.Arrays.stream(expected[i - 1]).max().orElseThrow();
      Map<String, Object> top = ((JsonObject) logprobs.getList("top_logprobs").get(i)).fields();
      assertThat((Double) top.values().iterator().next()).isCloseTo(best, within(1e-4));
      assertThat(top).containsEntry((String) logprobs.getList("tokens").get(i), found.get(i));
    }
    if (!stream) {
      assertThat(choice(answer).getString("text")).isEqualTo(tiny.model.tokenizer().decode(prompt));
      assertThat(answer.json().getObject("usage").getInt("completion_tokens", 0, 9)).isZero();
    }
  }

  /** A character of several tokens, or of two UTF-16 units, is one character. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void offsetsOfTokensAreThoseOfTheText(boolean stream) {
    String prompt = "x\u00e9\u20ac\ud83d\ude00z";
    RawClient.Answer answer =
        tiny.post(
            TEXT,
            "{\"prompt\":\"%s\",\"max_tokens\":3,\"echo\":true,\"logprobs\":0,\"stream\":%s,\"logit_bias\":{\"%d\":100}}"
                .formatted(prompt, stream, tiny.model.tokenizer().encode("y")[0]));
    List<Object> offsets = new ArrayList<>();
    for (JsonObject part : stream ? answer.events() : List.of(answer.json())) {
      for (JsonObject c : part.getObjects("choices")) {
        c.optional("logprobs", c::getObject)
            .ifPresent(l -> offsets.addAll(l.getList("text_offset")));
      }
    }
    assertThat(tiny.model.tokenizer().encode(prompt)).hasSize(11);
    assertThat(offsets).asString().isEqualTo("[0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 5, 6, 7]");
  }

  private static double[][] logSoftmax(int[] ids) {
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(tiny.device(), workspace);
      return NoGrad.call(
          () -> {
            Tensor logits =
                tiny.model
                    .decoder()
                    .forward(ops, Tensor.ids(workspace, Shape.of(1, ids.length), ids));
            int vocab = (int) logits.shape().dim(-1);
            double[][] rows = new double[ids.length][vocab];
            for (int r = 0; r < ids.length; r++) {
              double sum = 0;
              for (int v = 0; v < vocab; v++) {
                rows[r][v] = logits.span().get((long) r * vocab + v);
                sum += Math.exp(rows[r][v]);
              }
              for (int v = 0; v < vocab; v++) {
                rows[r][v] -= Math.log(sum);
              }
            }
            return rows;
          });
    }
  }

  @Test
  void logprobsOfAChatAreThoseOfTheModelAndNotOfTheSampler() {
    String json =
        """
        {"messages":[{"role":"user","content":"The hen"}],"max_tokens":8,"temperature":2,"seed":3,
         "logprobs":true,"top_logprobs":4,"logit_bias":{"40":50}}""";
    RawClient.Answer answer = tiny.post(CHAT, json);
    List<JsonObject> content = choice(answer).getObject("logprobs").getObjects("content");
    assertThat(content).isNotEmpty();
    for (JsonObject entry : content) {
      assertThat(entry.getString("token")).isEqualTo(tiny.model.tokenizer().decode(new int[] {40}));
      assertThat(entry.getDouble("logprob", -50, -1)).isNegative();
      List<JsonObject> top = entry.getObjects("top_logprobs");
      assertThat(top).hasSize(4);
      assertThat(top.getFirst().getDouble("logprob", -50, 0))
          .isGreaterThanOrEqualTo(top.getLast().getDouble("logprob", -50, 0));
      assertThat(entry.getList("bytes")).isNotEmpty();
    }
  }

  @Test
  void penaltiesAndBiasesChangeWhatIsChosen() {
    String json = "{\"prompt\":\"%s\",\"max_tokens\":30,\"temperature\":0%s}";
    String plain = choice(tiny.post(TEXT, json.formatted(PROMPT, ""))).getString("text");
    List<String> others = new ArrayList<>();
    for (String more :
        List.of(
            ",\"frequency_penalty\":2",
            ",\"presence_penalty\":-2",
            ",\"logit_bias\":{\"7\":100}")) {
      others.add(choice(tiny.post(TEXT, json.formatted(PROMPT, more))).getString("text"));
    }
    assertThat(others).doesNotContain(plain).doesNotHaveDuplicates();
    assertThat(others.getLast())
        .isEqualTo(tiny.model.tokenizer().decode(IntStream.generate(() -> 7).limit(30).toArray()));
    String banned =
        IntStream.range(0, 290)
            .filter(i -> i != 9)
            .mapToObj(i -> "\"" + i + "\":-100")
            .collect(java.util.stream.Collectors.joining(","));
    assertThat(
            choice(tiny.post(TEXT, json.formatted(PROMPT, ",\"logit_bias\":{" + banned + "}")))
                .getString("text"))
        .isEqualTo(tiny.model.tokenizer().decode(IntStream.generate(() -> 9).limit(30).toArray()));
  }

  @Test
  void whereTextsLeaveIsARequestsOwn() {
    Map<String, ExitPolicy> ways = new TreeMap<>();
    ways.put("\"strategy\":\"full\"", new MaxProbability(1));
    ways.put("\"strategy\":\"early-exit\",\"threshold\":0.03", new MaxProbability(0.03));
    ways.put("\"thresholds\":{\"3\":0.02}", new ExitThresholds(new TreeMap<>(Map.of(3, 0.02))));
    ways.put(
        "\"exits\":[1],\"threshold\":0.02", new ExitThresholds(new TreeMap<>(Map.of(1, 0.02))));
    ways.forEach(
        (json, policy) -> {
          RawClient.Answer answer =
              tiny.post(
                  TEXT,
                  "{\"prompt\":\"%s\",\"max_tokens\":20,\"temperature\":0,\"sortie\":{\"trace\":true,%s}}"
                      .formatted(PROMPT, json));
          Generation expected = alone(PROMPT, policy, 20, SamplingOptions.GREEDY);
          JsonObject sortie = answer.json().getObject("sortie");
          assertTrace(sortie.getObjects("trace"), expected.tokens());
          assertThat(sortie.getString("strategy"))
              .isEqualTo(policy.never() ? "full" : "early-exit");
          long deep = expected.tokens().stream().filter(t -> t.exit().isEmpty()).count();
          assertThat(sortie.getObject("exits").getLong("final", 0, 99)).isEqualTo(deep);
        });
  }

  @Test
  void theModelIsListed() {
    JsonObject model =
        RawClient.get(tiny.port(), "/v1/models").json().getObjects("data").getFirst();
    assertThat(model.getString("id")).isEqualTo("tiny");
    assertThat(RawClient.get(tiny.port(), "/v1/models/tiny").json().fields().keySet())
        .isEqualTo(model.fields().keySet());
    assertThat(RawClient.get(tiny.port(), "/health").json().getString("status")).isEqualTo("ok");
    assertThat(RawClient.get(tiny.port(), "/readyz").status()).isEqualTo(200);
  }
}
