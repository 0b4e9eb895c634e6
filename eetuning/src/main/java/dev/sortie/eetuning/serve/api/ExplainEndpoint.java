package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.explain.Explanation;
import dev.sortie.eetuning.explain.ExplanationJson;
import dev.sortie.eetuning.explain.TokenExplainer;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * {@code /explain}: how one token of a text was chosen. The text is generated again, with a cache
 * of its own, in passes that take turns with those of other texts. One at a time.
 */
final class ExplainEndpoint implements ApiEndpoint {
  /** Tokens of prompt and text: what bounds the memory, and the time. */
  private static final int MOST_TOKENS = 1024;

  private static final int RETRY = 1;

  private final ServedModel served;
  private final Grammars grammars;
  private final Duration most;
  private final Semaphore free = new Semaphore(1);

  /**
   * Explains what a model generates.
   *
   * @param grammars of answers that must have a form
   * @param most time that one answer may take
   */
  ExplainEndpoint(ServedModel served, Grammars grammars, Duration most) {
    this.served = served;
    this.grammars = grammars;
    this.most = most;
  }

  @Override
  public void answer(ApiRequest request) throws InterruptedException {
    RequestFields f = request.fields();
    served.check(f);
    AnswerForm format = AnswerForm.of(f, grammars);
    ToolFields tools =
        f.has("messages") ? ToolFields.of(f, format.json().isPresent()) : ToolFields.NONE;
    String from = f.has("messages") ? "messages" : "prompt";
    int[] prompt = prompt(f, tools);
    int token = f.integer("token", 1, MOST_TOKENS).orElse(1);
    SamplingFields sampling = SamplingFields.of(f, served.vocab());
    if (sampling.choices() > 1) {
      throw f.wrong("n", "1: one text is explained");
    }
    AnswerForm form = tools.form(f, format, served, grammars);
    DecodingFields decoding = DecodingFields.of(f, served);
    int tokens = prompt.length + token;
    if (tokens > Math.min(MOST_TOKENS, served.engine().room() + 1)) {
      throw ApiError.tooLong(
          from,
          "%s: %d tokens up to the one that is explained, and there is room for %d; give fewer"
              .formatted(from, tokens, Math.min(MOST_TOKENS, served.engine().room() + 1)));
    }
    if (!free.tryAcquire()) {
      throw ApiError.busy(RETRY, "another token is being explained; ask again in a moment");
    }
    Explanation explanation;
    try {
      TokenExplainer explainer =
          new TokenExplainer(
              served.model(),
              served.exits(),
              decoding.policy(),
              decoding.maxPending(),
              served.engine().ends());
      explanation =
          explainer.explain(
              prompt,
              token,
              form.apply(sampling.options(0, token, OptionalInt.empty())),
              pass -> run(request, pass));
    } catch (InputException e) {
      throw ApiError.invalid("token", e.getMessage());
    } catch (CancellationException | RejectedExecutionException e) {
      throw ApiError.unavailable(RETRY, "the server is stopping");
    } finally {
      free.release(); // before the answer is there, since its client may ask again at once
    }
    JsonAnswer.send(request.exchange(), 200, json(explanation, sampling.seed(), f.ignored()));
  }

  private int[] prompt(RequestFields f, ToolFields tools) {
    Optional<List<JsonObject>> messages = f.objects("messages");
    if (messages.isPresent()) {
      if (f.has("prompt")) {
        throw f.wrong("prompt", "no messages with it");
      }
      if (messages.get().isEmpty()) {
        throw f.missing("messages", "a list of objects with role and content");
      }
      return new Conversations(served, "messages")
          .encode(ChatMessages.of(messages.get(), "messages"), tools, f);
    }
    List<int[]> prompts = PromptFields.of(f, "prompt", served);
    if (prompts.size() > 1) {
      throw f.wrong("prompt", "one text, or token ids");
    }
    return prompts.getFirst();
  }

  /** A client that has left gets no answer, whatever is thrown. */
  private Step run(ApiRequest request, Supplier<Step> pass) throws InterruptedException {
    if (request.exchange().isGone()) {
      throw new CancellationException("the client has left");
    }
    if (System.nanoTime() - request.start() > most.toNanos()) {
      throw ApiError.timeout("the explanation took too long; explain an earlier token");
    }
    return served.engine().compute(pass);
  }

  private Map<String, Object> json(Explanation explanation, long seed, List<String> ignored) {
    Map<String, Object> json = ExplanationJson.of(explanation);
    json.put("model", served.name());
    json.put("kernel_set", served.model().device().kernels().name());
    json.put("sortie", Json.object("seed", seed, "ignored", ignored));
    return json;
  }
}
