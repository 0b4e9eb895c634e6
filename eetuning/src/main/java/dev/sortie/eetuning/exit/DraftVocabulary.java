package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The tokens that a draft head covers: a head over the most frequent tokens costs a fraction of one
 * over all, and text uses few others. Draft index {@code i} stands for the token {@code id(i)}; ids
 * rise with the index, so that of equal logits the lower id wins, as over the whole vocabulary.
 */
public final class DraftVocabulary {
  private final int[] ids;
  private final int vocab;

  /**
   * These tokens.
   *
   * @param ids at least one, rising, below {@code vocab}
   * @param vocab size of the whole vocabulary
   */
  public DraftVocabulary(int[] ids, int vocab) {
    if (ids.length == 0) {
      throw new InputException("a draft head covers no token; it needs one at least");
    }
    for (int i = 0; i < ids.length; i++) {
      int least = i == 0 ? 0 : ids[i - 1] + 1;
      if (ids[i] < least || ids[i] >= vocab) {
        throw new InputException(
            "id "
                + i
                + " of a draft head is "
                + ids[i]
                + ", expected "
                + least
                + " to "
                + vocab
                + " - 1: ids rise and are below the vocabulary's size");
      }
    }
    this.ids = ids.clone();
    this.vocab = vocab;
  }

  /**
   * The {@code size} lowest ids: what a draft head covers until it is tuned. In a BPE vocabulary
   * the merges found first, hence the most frequent in the tokenizer's training text, come first.
   */
  public static DraftVocabulary lowest(int size, int vocab) {
    checkSize(size, vocab);
    return new DraftVocabulary(IntStream.range(0, size).toArray(), vocab);
  }

  /**
   * The {@code size} tokens with the highest counts; of equals the lower id.
   *
   * @param counts occurrences of each id of the vocabulary
   */
  public static DraftVocabulary mostFrequent(long[] counts, int size) {
    checkSize(size, counts.length);
    int[] chosen =
        IntStream.range(0, counts.length)
            .boxed()
            .sorted((a, b) -> counts[a] == counts[b] ? a - b : Long.compare(counts[b], counts[a]))
            .limit(size)
            .mapToInt(Integer::intValue)
            .sorted()
            .toArray();
    return new DraftVocabulary(chosen, counts.length);
  }

  /** Refuses a number of draft tokens that a vocabulary cannot give. */
  static void checkSize(int size, int vocab) {
    if (size < 1 || size > vocab) {
      throw new InputException(
          "a draft head of "
              + size
              + " tokens is out of range: the vocabulary has "
              + vocab
              + ", so take 1 to "
              + vocab);
    }
  }

  /** Number of tokens covered. */
  public int size() {
    return ids.length;
  }

  /** Size of the whole vocabulary. */
  public int vocab() {
    return vocab;
  }

  /** The token at draft index {@code i}. */
  public int id(int i) {
    return ids[i];
  }

  /** All ids, rising; a copy. */
  public int[] ids() {
    return ids.clone();
  }

  /** The draft index of token {@code id}, negative if it is not covered. */
  public int index(int id) {
    return Arrays.binarySearch(ids, id);
  }

  /** The share of {@code counts} that is covered, 0 where nothing was counted. */
  public double coverage(long[] counts) {
    long all = Arrays.stream(counts).sum();
    return all == 0 ? 0 : (double) Arrays.stream(ids).mapToLong(id -> counts[id]).sum() / all;
  }

  /** Tokens {@code [..]} as draft indices, -1 where they are not covered. */
  public Tensor indices(Tensor tokens, Allocator allocator) {
    Tensor indices = Tensor.allocate(allocator, DType.I32, tokens.shape());
    for (long i = 0; i < tokens.shape().count(); i++) {
      indices.span().set(i, Math.max(-1, index(tokens.span().getInt(i))));
    }
    return indices;
  }

  /** Spreads draft logits over the whole vocabulary; what is not covered cannot be chosen. */
  public void spread(float[] draft, float[] whole) {
    Arrays.fill(whole, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < ids.length; i++) {
      whole[ids[i]] = draft[i];
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof DraftVocabulary d && d.vocab == vocab && Arrays.equals(d.ids, ids);
  }

  @Override
  public int hashCode() {
    return 31 * vocab + Arrays.hashCode(ids);
  }

  @Override
  public String toString() {
    return ids.length + " of " + vocab + " tokens";
  }
}
