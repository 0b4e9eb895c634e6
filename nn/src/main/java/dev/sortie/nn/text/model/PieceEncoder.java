package dev.sortie.nn.text.model;

import dev.sortie.nn.text.budget.Budget;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.util.function.IntPredicate;

/** Spells pieces with tokens. Thread-safe. */
public interface PieceEncoder {
  /** Appends the ids of one piece. */
  void encode(String piece, IntArrayList out, Budget budget);

  /** Whether a piece that is cut before each ▁ after another character keeps its ids. */
  boolean encodesWordsApart();

  /**
   * The encoder of a model.
   *
   * @param source the file, for messages
   * @param special which ids are special tokens, which plain text never becomes
   * @throws dev.sortie.nn.InputException if a byte token is missing
   */
  static PieceEncoder of(
      String source, Vocabulary vocabulary, SubwordModel model, IntPredicate special) {
    return switch (model) {
      case SubwordModel.Bpe bpe -> new BpeModel(source, vocabulary, bpe, special);
      case SubwordModel.Unigram unigram -> new UnigramModel(source, vocabulary, unigram, special);
    };
  }
}
