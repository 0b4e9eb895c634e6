package dev.sortie.nn.text;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.unicode.Utf8Decoder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The stream decoder of every tokenizer whose tokens are strings: see {@link TokenDecoding}. */
final class TokenStream implements StreamDecoder {
  /** Stands for bytes that are no text, and for ids that no token has. */
  static final String UNKNOWN = "\uFFFD";

  private final Tokenizer tokenizer;
  private final boolean byteLevel;
  private final boolean keepSpecial;
  private final Utf8Decoder utf8 = new Utf8Decoder();
  private final StringBuilder out = new StringBuilder();
  private final List<DecodingStage> stages;
  private final Budget budget;

  /** Tokens that wait for one that a stage released before them. */
  private final Deque<Waiting> waiting = new ArrayDeque<>();

  /** A token before a stage. */
  private record Waiting(String token, int stage) {}

  TokenStream(String source, Tokenizer tokenizer, TokenDecoding decoding, boolean keepSpecial) {
    this.tokenizer = tokenizer;
    this.keepSpecial = keepSpecial;
    byteLevel = decoding.isByteLevel();
    stages = DecodingStage.of(decoding);
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
    if (byteLevel) {
      StringBuilder characters = new StringBuilder();
      utf8.accept(tokenizer.bytes(id), characters);
      decode(characters.toString());
    } else {
      decode(tokenizer.token(id).orElse(UNKNOWN));
    }
    return text();
  }

  @Override
  public String finish() {
    if (byteLevel) {
      StringBuilder rest = new StringBuilder();
      utf8.finish(rest);
      decode(rest.toString());
    }
    for (int i = 0; i < stages.size(); i++) {
      String rest = stages.get(i).finish();
      if (rest != null) {
        run(rest, i + 1);
      }
    }
    return text();
  }

  private void decode(String token) {
    budget.give(token.length());
    run(token, 0);
  }

  /** Takes a token through the stages from {@code first} on. */
  private void run(String token, int first) {
    String text = token;
    int stage = first;
    while (true) {
      while (text != null && stage < stages.size()) {
        String before = stages.get(stage).release(text);
        if (before == null) {
          text = accepted(text, stage);
        } else {
          waiting.push(new Waiting(text, stage));
          text = before;
        }
        stage++;
      }
      if (text != null) {
        out.append(text);
      }
      if (waiting.isEmpty()) {
        return;
      }
      Waiting next = waiting.pop();
      text = accepted(next.token, next.stage);
      stage = next.stage + 1;
    }
  }

  private String accepted(String token, int stage) {
    budget.at("decoder", stage + 1);
    String text = stages.get(stage).accept(token, budget);
    boolean grown = text != null && text.length() > token.length();
    return grown ? budget.made(text) : text;
  }

  private String text() {
    String text = out.toString();
    out.setLength(0);
    return text;
  }
}
