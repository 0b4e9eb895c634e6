package dev.sortie.nn.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.Stream;

/** Tokenizer files of each kind, for tests that damage them. */
public final class TextCorpus {
  private TextCorpus() {}

  /** Texts of {@code tokenizer.json}. */
  public static List<String> tokenizers() {
    return Fixtures.all().map(name -> Fixtures.text(name + ".json")).toList();
  }

  /** Files of SentencePiece: {@code tokenizer.model}. */
  public static List<byte[]> sentencePieceModels() {
    return Stream.of(
            "bpe", "bpe_rules", "bpe_symbols", "unigram", "unigram_rules", "unigram_symbols")
        .map(name -> "sentencepiece/" + name + ".model")
        .map(
            name -> {
              try (InputStream in = TextCorpus.class.getResourceAsStream(name)) {
                return in.readAllBytes();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            })
        .toList();
  }

  /** The smallest vocabulary that holds all of them. */
  public static int vocab() {
    return Stream.concat(Fixtures.all(), Stream.of("gpt2"))
        .mapToInt(name -> Fixtures.tokenizer(name).vocabSize())
        .max()
        .orElseThrow();
  }
}
