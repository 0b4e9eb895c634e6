package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.HiddenState;
import dev.sortie.eetuning.decode.pass.Pieces;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.InputException;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.TopTokens;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Arrays;
import java.util.Optional;

/**
 * Guesses by an exit of the backbone: each guessed token goes through the layers below the exit and
 * its head, as long as the exit is confident. The layers above see all guesses at once when they
 * are verified (self-speculative decoding, as in arXiv 2404.16710); no layer runs twice for a
 * token.
 */
public final class EarlyExitDraft implements DraftSource {
  /** Its name in options and traces. */
  public static final String NAME = "early-exit";

  private final Exit exit;
  private final int layers;
  private final double threshold;
  private final NativeArena arena = new NativeArena("early-exit draft");
  private final Optional<KvCache> cache;

  /** Positions done in the exit's own layer. */
  private int done;

  /**
   * Guesses by {@code exit}.
   *
   * @param layers of the backbone
   * @param threshold confidence, 0 to 1, below which the guess ends
   * @param capacity tokens of the text at most
   */
  public EarlyExitDraft(Exit exit, int layers, double threshold, int capacity) {
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new InputException("--threshold " + threshold + " is outside 0 to 1");
    }
    this.exit = exit;
    this.layers = layers;
    this.threshold = threshold;
    this.cache =
        exit.hasCache() ? Optional.of(exit.cache(arena, DType.F32, capacity)) : Optional.empty();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Draft draft(DraftContext context, int max) {
    int[] tokens = new int[max];
    int count = 0;
    int token = context.token(context.length() - 1);
    while (count < max) {
      HiddenState below = context.descend(token);
      int end = context.length() + count;
      Tensor x = cache.map(c -> catchUp(context, c, end)).orElse(below.x());
      Tensor logits =
          exit.branchLogits(context.ops(), Sequence.lastRow(x), Sequence.lastRow(below.a()));
      TopTokens top = TopTokens.of(context.ops(), logits);
      if (top.probability(0) < threshold) {
        break;
      }
      token = exit.token(top.ids()[0]);
      tokens[count++] = token;
    }
    return new Draft(Arrays.copyOf(tokens, count), 0);
  }

  /** Runs the exit's own layer up to position {@code end}; its output for the last piece. */
  private Tensor catchUp(DraftContext context, KvCache cache, int end) {
    Tensor x = null;
    while (done < end) {
      int to = Math.min(end, done + Pieces.USUAL);
      x = exit.advance(context.ops(), context.hidden(done, to), cache, done);
      done = to;
    }
    return x;
  }

  @Override
  public void rewind(int count) {
    done = Math.min(done, count);
  }

  @Override
  public double cost() {
    return (double) exit.depth() / layers;
  }

  @Override
  public double prior(int kind, int place) {
    return Math.max(0.5, threshold); // what a calibrated exit keeps to
  }

  @Override
  public int depth() {
    return exit.depth();
  }

  @Override
  public void close() {
    arena.close();
  }
}
