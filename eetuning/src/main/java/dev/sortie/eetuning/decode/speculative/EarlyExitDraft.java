package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitAnswer;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.exit.TextTokens;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.UsageException;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Drafts by an exit of the backbone: each draft token goes through the layers below the exit and
 * its head, as long as the exit is confident. The layers above see all draft tokens at once when
 * they are verified (self-speculative decoding, as in arXiv 2404.16710); no layer runs twice for a
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

  /** As far as it was seen here, draft tokens among it. */
  private final TextTokens text;

  /** Positions done in the exit's own layer. */
  private int done;

  /**
   * Drafts by {@code exit}.
   *
   * @param layers of the backbone
   * @param threshold confidence, 0 to 1, below which the draft ends
   * @param capacity tokens of the text at most
   */
  public EarlyExitDraft(Exit exit, int layers, double threshold, int capacity) {
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new UsageException("--threshold " + threshold + " is outside 0 to 1");
    }
    this.exit = exit;
    this.layers = layers;
    this.threshold = threshold;
    this.cache =
        exit.hasCache()
            ? Optional.of(arena.orClose(() -> exit.cache(arena, DType.F32, capacity)))
            : Optional.empty();
    this.text = arena.orClose(() -> new TextTokens(List.of(exit), capacity, arena));
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Draft draft(DraftContext context, int max) {
    Ops ops = context.ops();
    see(context);
    int[] tokens = new int[max];
    int count = 0;
    int token = context.token(context.length() - 1);
    while (count < max) {
      HiddenState below = context.descend(token);
      int end = context.length() + count;
      Tensor x = cache.map(c -> catchUp(context, c, end)).orElse(below.x());
      Tensor state = exit.headState(ops, Sequence.lastRow(x), Sequence.lastRow(below.a()));
      ExitAnswer answer = text.answer(ops, exit, state, exit.headLogits(ops, state), end);
      if (answer.probability() < threshold) {
        break;
      }
      token = answer.token();
      tokens[count++] = token;
      text.read(ops, end, token);
    }
    return new Draft(Arrays.copyOf(tokens, count), 0);
  }

  /** Reads the tokens of the text that came since. */
  private void see(DraftContext context) {
    int[] tokens = new int[context.length() - text.length()];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = context.token(text.length() + i);
    }
    text.read(context.ops(), text.length(), tokens);
  }

  /** Runs the exit's own layer up to position {@code end}; its output for the last piece. */
  private Tensor catchUp(DraftContext context, KvCache cache, int end) {
    Tensor x = null;
    while (done < end) {
      int to = Math.min(end, done + ChunkedPrefill.USUAL);
      x = exit.advance(context.ops(), context.hidden(done, to), cache, done);
      done = to;
    }
    return x;
  }

  @Override
  public void rewind(int count) {
    done = Math.min(done, count);
    text.rewind(Math.min(text.length(), count));
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
