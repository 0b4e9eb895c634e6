package dev.sortie.nn.text;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.unicode.Utf8Decoder;
import java.util.ArrayDeque;
import java.util.Deque;

/** The stream decoder of every tokenizer whose tokens are strings: see {@link TokenDecoding}. */
final class TokenStream implements StreamDecoder {
  /** Stands for bytes that are no text, and for ids that no token has. */
  static final String UNKNOWN = "\uFFFD";

  private final Tokenizer tokenizer;
  private final boolean byteLevel;
  private final boolean keepSpecial;
  private final Utf8Decoder utf8 = new Utf8Decoder();
  private final DecodingStage[] stages;
  private final Budget budget;

  /** Tokens that wait for one that a stage released before them. */
  private final Deque<Waiting> waiting = new ArrayDeque<>();

  /** A token before a stage. */
  private record Waiting(String token, int stage) {}

  TokenStream(String source, Tokenizer tokenizer, TokenDecoding decoding, boolean keepSpecial) {
    this.tokenizer = tokenizer;
    this.keepSpecial = keepSpecial;
    byteLevel = decoding.isByteLevel();
    stages = DecodingStage.of(decoding).toArray(DecodingStage[]::new);
    budget = new Budget(source, "tokens", 0);
  }

  @Override
  public String next(int id) {
    if (id < 0) {
      throw new IllegalArgumentException("token id " + id + " is negative");
    }
    if (!keepSpecial && tokenizer.isSpecial(id)) {
      return "";
    }
    if (!byteLevel) {
      return decode(tokenizer.token(id).orElse(UNKNOWN));
    }
    StringBuilder characters = new StringBuilder();
    utf8.accept(tokenizer.bytes(id), characters);
    return decode(characters.toString());
  }

  @Override
  public String finish() {
    StringBuilder all = new StringBuilder();
    if (byteLevel) {
      StringBuilder rest = new StringBuilder();
      utf8.finish(rest);
      all.append(decode(rest.toString()));
    }
    for (int i = 0; i < stages.length; i++) {
      String rest = stages[i].finish();
      if (rest != null) {
        all.append(run(rest, i + 1));
      }
    }
    return all.toString();
  }

  private String decode(String token) {
    budget.give(token.length());
    return run(token, 0);
  }

  /** What the stages from {@code first} on make of a token, and of those that they release. */
  private String run(String token, int first) {
    String text = through(token, first);
    if (waiting.isEmpty()) {
      return text == null ? "" : text;
    }
    StringBuilder all = new StringBuilder();
    while (true) {
      all.append(text == null ? "" : text);
      if (waiting.isEmpty()) {
        return all.toString();
      }
      Waiting next = waiting.pop();
      text = through(accepted(next.token, next.stage), next.stage + 1);
    }
  }

  /** Null where a stage holds it back; a token that another one comes before waits. */
  private String through(String token, int first) {
    String text = token;
    for (int stage = first; text != null && stage < stages.length; stage++) {
      String before = stages[stage].holding ? stages[stage].release(text) : null;
      if (before == null) {
        text = accepted(text, stage);
      } else {
        waiting.push(new Waiting(text, stage));
        text = before;
      }
    }
    return text;
  }

  private String accepted(String token, int stage) {
    budget.at("decoder", stage + 1);
    String text = stages[stage].accept(token, budget);
    boolean grown = text != null && text.length() > token.length();
    return grown ? budget.made(text) : text;
  }
}
