package dev.sortie.nn.text;

import java.util.List;
import java.util.stream.Stream;

/** Tokenizer files of each kind, for tests that damage them. */
public final class TextCorpus {
  private TextCorpus() {}

  /** Texts of {@code tokenizer.json}. */
  public static List<String> tokenizers() {
    return Fixtures.all().map(name -> Fixtures.text(name + ".json")).toList();
  }

  /** The smallest vocabulary that holds all of them. */
  public static int vocab() {
    return Stream.concat(Fixtures.all(), Stream.of("gpt2"))
        .mapToInt(name -> Fixtures.tokenizer(name).vocabSize())
        .max()
        .orElseThrow();
  }
}
