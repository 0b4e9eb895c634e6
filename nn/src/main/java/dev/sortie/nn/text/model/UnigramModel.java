package dev.sortie.nn.text.model;

import dev.sortie.nn.Printable;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.unicode.CharTrie;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * Pieces to ids by the spelling of greatest score: Viterbi over all tokens that begin at each
 * character, each found by walking a trie.
 */
final class UnigramModel implements PieceEncoder {
  private static final int CACHE = 1 << 15;

  /** Stands for a character that no token spells. */
  private static final int UNSPELLED = -1;

  private final SubwordModel.Unigram model;
  private final CharTrie trie;
  private final PieceCache cache = new PieceCache(CACHE);
  private final UnknownText unknown;

  /** The token for what no token spells, or -1. */
  private final int unknownId;

  private final String unknownToken;

  /** The id of each byte, or null. */
  private final int[] bytes;

  /**
   * A model. Special tokens are never spelled by plain text, whatever their score.
   *
   * @throws dev.sortie.nn.InputException if a byte token is missing
   */
  UnigramModel(
      String source, Vocabulary vocabulary, SubwordModel.Unigram model, IntPredicate special) {
    this.model = model;
    trie = new CharTrie(source + ": the tokens of model.vocab");
    unknownId = model.unknown().orElse(-1);
    unknownToken = vocabulary.token(unknownId);
    unknown = new UnknownText(source, "model.unk_id");
    bytes = model.byteFallback() ? ByteTokens.fallback(source, vocabulary) : null;
    for (int id = 0; id < model.scores().length; id++) {
      if (!Double.isNaN(model.scores()[id]) && !special.test(id)) {
        trie.add(vocabulary.token(id), id);
      }
    }
  }

  @Override
  public void encode(String piece, IntArrayList out, Budget budget) {
    int[] ids = cache.get(piece);
    if (ids == null) {
      ids = spelled(piece, budget);
      cache.put(piece, ids);
    }
    out.addElements(out.size(), ids);
  }

  /** Scores are summed from where a piece begins, and rounded so. */
  @Override
  public boolean encodesWordsApart() {
    return false;
  }

  private int[] spelled(String piece, Budget budget) {
    int n = piece.length();
    int[] from = new int[n + 1];
    int[] by = new int[n + 1];
    best(piece, from, by, budget);
    IntArrayList backwards = new IntArrayList();
    for (int end = n; end > 0; end = from[end]) {
      if (by[end] != UNSPELLED) {
        backwards.add(by[end]);
        continue;
      }
      int start = from[end];
      while (start > 0 && by[start] == UNSPELLED) {
        start = from[start];
      }
      addUnspelled(piece.substring(start, end), backwards);
      from[end] = start;
    }
    int[] ids = backwards.toIntArray();
    for (int i = 0, j = ids.length - 1; i < j; i++, j--) {
      int id = ids[i];
      ids[i] = ids[j];
      ids[j] = id;
    }
    return ids;
  }

  /** For each end of a token, where the best spelling's last token begins, and its id. */
  private void best(String piece, int[] from, int[] by, Budget budget) {
    int n = piece.length();
    double[] total = new double[n + 1];
    Arrays.fill(total, Double.NEGATIVE_INFINITY);
    Arrays.fill(from, -1);
    total[0] = 0;
    int width;
    for (int i = 0; i < n; i += width) {
      width = Character.charCount(piece.codePointAt(i));
      boolean spelled = false;
      int node = 0;
      int end = i;
      while (end < n) {
        node = trie.next(node, piece.charAt(end++));
        if (node == 0) {
          break;
        }
        int id = trie.id(node);
        if (id >= 0) {
          offer(total, from, by, i, end, id == unknownId ? UNSPELLED : id, model.scores()[id]);
          spelled |= end == i + width;
        }
      }
      budget.steps(end - i);
      if (!spelled) {
        offer(total, from, by, i, i + width, UNSPELLED, model.unknownScore());
      }
    }
  }

  private void offer(
      double[] total, int[] from, int[] by, int start, int end, int id, double score) {
    double sum =
        model.singlePrecision() ? (float) score + (float) total[start] : score + total[start];
    if (from[end] < 0 || sum > total[end]) {
      total[end] = sum;
      from[end] = start;
      by[end] = id;
    }
  }

  /**
   * Appends backwards what stands for a run of characters that no token spells. The unknown token
   * spelled in the text belongs to such a run, and alone it is itself.
   */
  private void addUnspelled(String text, IntArrayList backwards) {
    if (unknownId >= 0 && text.equals(unknownToken)) {
      backwards.add(unknownId);
    } else if (bytes != null) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      for (int i = utf8.length - 1; i >= 0; i--) {
        backwards.add(bytes[utf8[i] & 0xFF]);
      }
    } else if (unknownId >= 0) {
      backwards.add(unknownId);
    } else {
      unknown.leftOut(() -> Printable.quoted(text));
    }
  }
}
