package dev.sortie.eetuning.decode.grammar;

import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Texts of a grammar, seen through the rule of a vocabulary that has each byte as a token. */
public final class GrammarTexts {
  private static final String END = "<|end|>";
  private static final float FORBIDDEN = Float.NEGATIVE_INFINITY;

  private final Tokenizer tokenizer;
  private final int end;
  private final TokenVocabulary vocabulary;
  private final Map<Byte, Integer> byteTokens = new HashMap<>();

  /** A vocabulary with {@code merges} tokens of several bytes, as {@code text} has them. */
  public GrammarTexts(int merges, String text) {
    tokenizer =
        new BpeTrainer(new BpeTrainer.Options(257 + merges, List.of(END), false, 1))
            .add(text)
            .train();
    end = tokenizer.id(END).orElseThrow();
    vocabulary = new TokenVocabulary(tokenizer, tokenizer.vocabSize() + 3, List.of(end));
    for (int id = 0; id < tokenizer.vocabSize(); id++) {
      if (id != end && tokenizer.bytes(id).length == 1) {
        byteTokens.put(tokenizer.bytes(id)[0], id);
      }
    }
  }

  /** Bytes alone. */
  public static GrammarTexts bytes() {
    return new GrammarTexts(0, "a");
  }

  /** The tokens. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** The token that ends a text. */
  public int end() {
    return end;
  }

  /** The tokens as grammars see them. */
  public TokenVocabulary vocabulary() {
    return vocabulary;
  }

  /** The token that is one byte. */
  public int id(byte b) {
    return byteTokens.get(b);
  }

  /** The grammar over this vocabulary. */
  public TokenGrammar tokens(Grammar grammar) {
    return new TokenGrammar(grammar, vocabulary);
  }

  /** Which tokens a rule allows now. */
  public boolean[] allowed(LogitRule rule) {
    float[] logits = new float[tokenizer.vocabSize() + 3];
    rule.apply(logits);
    boolean[] allowed = new boolean[logits.length];
    for (int i = 0; i < logits.length; i++) {
      allowed[i] = logits[i] != FORBIDDEN;
    }
    return allowed;
  }

  /** How many bytes of a text a grammar takes. */
  public int taken(LogitRule rule, byte[] text) {
    for (int i = 0; i < text.length; i++) {
      int id = byteTokens.get(text[i]);
      if (!allowed(rule)[id]) {
        return i;
      }
      rule.chosen(id);
    }
    return text.length;
  }

  /** Whether a text is one of the grammar. */
  public boolean accepts(Grammar grammar, String text) {
    LogitRule rule = tokens(grammar).get();
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return taken(rule, bytes) == bytes.length && allowed(rule)[end];
  }

  /**
   * A random text of the grammar.
   *
   * @param most bytes; empty if it has not ended by then
   */
  public Optional<String> random(TokenGrammar grammar, Random random, int most) {
    LogitRule rule = grammar.get();
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < most; i++) {
      boolean[] allowed = allowed(rule);
      List<Integer> some = new ArrayList<>();
      List<Integer> ending = new ArrayList<>();
      for (int id = 0; id < allowed.length; id++) {
        if (allowed[id]) {
          some.add(id);
          if (id == end || "\"]},:".indexOf((char) tokenizer.bytes(id)[0]) >= 0) {
            ending.add(id);
          }
        }
      }
      List<Integer> from = !ending.isEmpty() && random.nextInt(3) > 0 ? ending : some;
      int id = from.get(random.nextInt(from.size()));
      if (id == end) {
        return Optional.of(tokenizer.decode(ids.stream().mapToInt(n -> n).toArray()));
      }
      ids.add(id);
      rule.chosen(id);
    }
    return Optional.empty();
  }
}
