package dev.sortie.nn.text;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.unicode.Utf8Decoder;
import java.util.ArrayList;
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

  /** What a stage takes and what it gives; they change places from stage to stage. */
  private List<String> taken = new ArrayList<>();

  private List<String> given = new ArrayList<>();

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
    run(true);
    return text();
  }

  private void decode(String token) {
    budget.give(token.length());
    given.add(token);
    run(false);
  }

  /** What is given goes through all stages; at the end each of them gives what it held back. */
  private void run(boolean atEnd) {
    for (int i = 0; i < stages.size(); i++) {
      DecodingStage stage = stages.get(i);
      List<String> tokens = given;
      given = taken;
      taken = tokens;
      budget.at("decoder", i + 1);
      for (int t = 0; t < tokens.size(); t++) {
        stage.accept(tokens.get(t), budget, given);
      }
      tokens.clear();
      if (atEnd) {
        stage.finish(budget, given);
      }
      for (int t = 0; t < given.size(); t++) {
        budget.text(given.get(t).length());
      }
    }
    for (int t = 0; t < given.size(); t++) {
      out.append(given.get(t));
    }
    given.clear();
  }

  private String text() {
    String text = out.toString();
    out.setLength(0);
    return text;
  }
}
