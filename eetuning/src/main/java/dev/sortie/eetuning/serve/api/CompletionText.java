package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.GenerationState;
import dev.sortie.eetuning.decode.batch.PromptScores;
import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.StreamDecoder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One text of {@code /v1/completions}: its prompt where it is echoed, and the probabilities of its
 * tokens with their places in the text.
 */
final class CompletionText {
  private final ServedModel served;
  private final TokenText words;
  private final int[] prompt;
  private final Optional<String> echo;
  private final boolean logprobs;
  private final Optional<PromptScores> scores;

  /**
   * Of what is generated, where offsets are asked for: it reads the prompt first. A single token
   * may be a part of a character, and of no width then.
   */
  private final Optional<StreamDecoder> text;

  private boolean echoed;

  /** In code points, as clients count that are written in Python. */
  private int offset;

  /**
   * @param prompt its ids
   * @param echo its text, if that is part of the answer
   * @param logprobs whether probabilities were asked for
   * @param scores those of an echoed prompt
   */
  CompletionText(
      ServedModel served,
      int[] prompt,
      Optional<String> echo,
      boolean logprobs,
      Optional<PromptScores> scores) {
    this.served = served;
    this.words = new TokenText(served.model().tokenizer());
    this.prompt = prompt;
    this.echo = echo;
    this.logprobs = logprobs;
    this.scores = scores;
    this.text =
        logprobs
            ? Optional.of(GenerationState.after(prompt, served.model().tokenizer()))
            : Optional.empty();
  }

  boolean asksLogprobs() {
    return logprobs;
  }

  /** Whether the prompt is part of the answer and was not given yet. */
  boolean isEchoDue() {
    return echo.isPresent() && !echoed;
  }

  /** The prompt, which is given now. */
  String echo() {
    echoed = true;
    return echo.orElseThrow();
  }

  /** Probabilities of the prompt's tokens; null where nobody asked. */
  Map<String, Object> echoed() {
    Rows rows = new Rows();
    addPrompt(rows);
    return rows.json();
  }

  /** Probabilities of tokens that come next; null where nobody asked. */
  Map<String, Object> next(List<GeneratedToken> tokens) {
    Rows rows = new Rows();
    add(rows, tokens);
    return rows.json();
  }

  /** Probabilities of all tokens; null where nobody asked. */
  Map<String, Object> all(List<GeneratedToken> tokens) {
    Rows rows = new Rows();
    if (echo.isPresent()) {
      addPrompt(rows);
    }
    add(rows, tokens);
    return rows.json();
  }

  private void addPrompt(Rows rows) {
    if (scores.isEmpty()) {
      return;
    }
    StreamDecoder read = served.model().tokenizer().stream();
    rows.add(prompt[0], Optional.empty(), read);
    scores.get().scores().forEach(p -> rows.add(p.token().id(), Optional.of(p), read));
    advance(read.finish());
  }

  private void advance(String more) {
    offset += more.codePointCount(0, more.length());
  }

  /** All that were generated, also the one that ends the text: harnesses count on a row of each. */
  private void add(Rows rows, List<GeneratedToken> tokens) {
    text.ifPresent(after -> tokens.forEach(t -> rows.add(t.id(), t.logprobs(), after)));
  }

  /** Lists side by side, as this API has them. */
  private final class Rows {
    private final List<String> tokens = new ArrayList<>();
    private final List<Double> chosen = new ArrayList<>();
    private final List<Map<String, Object>> top = new ArrayList<>();
    private final List<Integer> offsets = new ArrayList<>();

    void add(int id, Optional<TokenLogprobs> p, StreamDecoder text) {
      tokens.add(words.spelled(id));
      chosen.add(p.map(t -> Logprob.finite(t.token().logprob())).orElse(null));
      top.add(p.map(this::likeliest).orElse(null));
      offsets.add(offset);
      advance(text.next(id));
    }

    /** The likeliest tokens, and the one that stands there even where it is none of them. */
    private Map<String, Object> likeliest(TokenLogprobs p) {
      Map<String, Object> json = new LinkedHashMap<>();
      p.top().forEach(e -> json.putIfAbsent(words.spelled(e.id()), Logprob.finite(e.logprob())));
      if (!p.top().isEmpty()) {
        json.putIfAbsent(words.spelled(p.token().id()), Logprob.finite(p.token().logprob()));
      }
      return json;
    }

    Map<String, Object> json() {
      return logprobs
          ? Json.object(
              "tokens",
              tokens,
              "token_logprobs",
              chosen,
              "top_logprobs",
              top,
              "text_offset",
              offsets)
          : null;
    }
  }
}
