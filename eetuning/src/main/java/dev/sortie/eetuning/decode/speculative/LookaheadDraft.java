package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.nn.KvCache;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Drafts by the lookahead exit: from hidden states of the text and the tokens chosen from them it
 * predicts the next token, then the one after from its own state, as long as all of it is likely
 * enough to be right. Its own layer attends to all of the text, unless it reads final hidden
 * states: of a prompt only the last token has one, and it attends to the text from there on.
 */
public final class LookaheadDraft implements DraftSource {
  /** Its name in options and traces. */
  public static final String NAME = "lookahead";

  private final Lookahead exit;
  private final double cost;
  private final double threshold;
  private final NativeArena arena = new NativeArena("lookahead draft");
  private final KvCache cache;

  /** Text position of the cache's first row. */
  private int base;

  /** Positions whose true hidden state is in the cache, from {@link #base} on. */
  private int done;

  /** Of the last of them: the state, which the first draft token is read from. */
  private Tensor last;

  /**
   * Drafts by {@code exit}.
   *
   * @param decoder its backbone
   * @param threshold probability, 0 to 1, that all of the draft is right, below which it ends
   * @param capacity tokens of the text at most
   */
  public LookaheadDraft(Lookahead exit, Decoder decoder, double threshold, int capacity) {
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new UsageException("--threshold " + threshold + " is outside 0 to 1");
    }
    this.exit = exit;
    this.threshold = threshold;
    this.cost = cost(exit, decoder);
    this.cache = arena.orClose(() -> exit.cache(arena, DType.F32, capacity));
    this.last =
        arena.orClose(
            () -> Tensor.allocate(arena, DType.F32, Shape.of(1, 1, decoder.config().hidden())));
  }

  /** The share of weights that a draft token reads. */
  private static double cost(Lookahead exit, Decoder decoder) {
    long own = count(exit.parameters());
    if (!exit.ownHead()) {
      int hidden = decoder.config().hidden();
      own += (long) exit.draft().map(d -> d.size()).orElse(decoder.config().vocab()) * hidden;
    }
    return (double) own / decoder.parameterCount();
  }

  private static long count(Map<String, Tensor> tensors) {
    return tensors.values().stream().mapToLong(t -> t.shape().count()).sum();
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Draft draft(DraftContext context, int max) {
    catchUp(context);
    int[] tokens = new int[max];
    double[] probabilities = new double[max];
    double all = 1;
    int count = 0;
    Tensor state = last;
    while (count < max) {
      TopTokens top = TopTokens.of(context.ops(), exit.logits(context.ops(), state));
      probabilities[count] = top.probability(0);
      all *= probabilities[count];
      if (all < threshold) {
        break;
      }
      int token = exit.token(top.ids()[0]);
      tokens[count++] = token;
      if (count < max && done - base + count <= cache.capacity()) {
        // over rows that true states take again when they come
        state = advance(context, state, new int[] {token}, done - base + count - 1);
      } else {
        break;
      }
    }
    return new Draft(Arrays.copyOf(tokens, count), 0, Arrays.copyOf(probabilities, count));
  }

  /**
   * Runs the exit's layer over the hidden states that came since the last draft: those before the
   * last few leave only keys and values, in batches of stable rows, for which nothing is packed.
   */
  private void catchUp(DraftContext context) {
    int known = context.featuresFrom();
    if (known > base) {
      base = known;
      done = known;
    }
    int end = context.length() - 1;
    while (done < end) {
      int to = Math.min(end, done + Kernels.ROW_STABLE);
      int[] next = new int[to - done];
      for (int i = 0; i < next.length; i++) {
        next[i] = context.token(done + i + 1);
      }
      int from = done;
      Tensor h = exit.join(context.ops(), depth -> context.features(depth, from, to));
      if (to < end) {
        exit.fill(context.ops(), h, ids(context, next), cache, done - base);
      } else {
        Tensor y = advance(context, h, next, done - base);
        context.ops().kernels().copy(Sequence.lastRow(y).span(), last.span());
      }
      done = to;
    }
  }

  private Tensor advance(DraftContext context, Tensor h, int[] next, int first) {
    return exit.advance(context.ops(), h, ids(context, next), cache, first);
  }

  private static Tensor ids(DraftContext context, int[] next) {
    return Tensor.ids(context.ops().workspace(), Shape.of(1, next.length), next);
  }

  /** Position {@code t} stands on token {@code t + 1} too, and the last state is read again. */
  @Override
  public void rewind(int count) {
    done = Math.max(0, Math.min(done, count - 2));
    base = Math.min(base, done);
  }

  @Override
  public double cost() {
    return cost;
  }

  @Override
  public boolean givesProbabilities() {
    return true;
  }

  @Override
  public List<Integer> features() {
    return exit.features();
  }

  @Override
  public void close() {
    arena.close();
  }
}
