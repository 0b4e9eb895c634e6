package dev.sortie.nn.text.model;

import java.util.List;
import java.util.OptionalInt;

/** The part of a tokenizer that spells one piece of text with tokens of its vocabulary. */
public sealed interface SubwordModel {

  /** The id for what the vocabulary cannot spell; without it such text is left out. */
  OptionalInt unknown();

  /**
   * Byte-pair encoding: symbols are merged pair by pair (Sennrich et al. 2016).
   *
   * @param merges the pairs
   * @param options switches
   * @param whole ids of tokens that are found in the text before anything merges, the longest
   *     first; no merge has one of them as a side
   */
  record Bpe(MergeTable merges, BpeOptions options, List<Integer> whole) implements SubwordModel {
    /** Keeps a copy of the list. */
    public Bpe {
      whole = List.copyOf(whole);
    }

    /** Without tokens that are found whole. */
    public Bpe(MergeTable merges, BpeOptions options) {
      this(merges, options, List.of());
    }

    @Override
    public OptionalInt unknown() {
      return options.unknown();
    }
  }

  /**
   * The spelling of greatest total score (Kudo 2018, the unigram language model).
   *
   * @param scores log-probability of each id; NaN where text is never spelled with it
   * @param unknownScore of a character that no token spells
   * @param unknown the id for such characters; several in a row become one
   * @param byteFallback whether such characters are spelled with byte tokens such as {@code <0xE2>}
   * @param singlePrecision whether scores are added up as SentencePiece does, in float, or as
   *     Hugging Face's tokenizers does, in double
   */
  record Unigram(
      double[] scores,
      double unknownScore,
      OptionalInt unknown,
      boolean byteFallback,
      boolean singlePrecision)
      implements SubwordModel {
    /** What an unknown character costs below the least score of a token. */
    public static final double UNKNOWN_PENALTY = 10;
  }
}
