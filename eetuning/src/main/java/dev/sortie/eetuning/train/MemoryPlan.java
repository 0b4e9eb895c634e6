package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.ForwardOnly;
import java.util.List;
import java.util.function.IntToLongFunction;

/**
 * How much memory tuning takes on each rank, before it begins: the formulas of docs/memory.md.
 *
 * @param config of the backbone
 * @param exits all that are tuned
 * @param options of the run
 * @param length tokens in a sequence
 * @param mesh of ranks
 * @param weights bytes of the backbone's weights that a stage holds
 */
public record MemoryPlan(
    DecoderConfig config,
    List<ExitOutline> exits,
    TuneOptions options,
    int length,
    Mesh mesh,
    IntToLongFunction weights) {

  /** The JVM: see docs/memory.md. */
  private static final long JVM = 200L << 20;

  private static final long CHUNK_BYTES = 64L << 20;
  private static final int MOST_MICRO_BATCH = 1 << 16;

  /** A rank's memory with the options' micro-batch. */
  public RankMemory of(int dp, int pp) {
    return of(dp, pp, options.microBatch());
  }

  private RankMemory of(int dp, int pp, int microBatch) {
    StagePlan plan = new StagePlan(config, exits, options, length, mesh.pp());
    List<ExitOutline> own = plan.exits(pp);
    long parameters = own.stream().mapToLong(this::parameters).sum();
    long rows = (long) microBatch * length;
    long buffers = 0;
    if (options.microBatches() > mesh.dp() && dp == 0) {
      buffers += kl() ? parameters : own.stream().mapToLong(this::parameters).max().orElse(0);
    }
    buffers += (mesh.dp() - 1) * parameters; // pages of the others count where they are read
    return new RankMemory(
        weights.applyAsLong(pp),
        floats(parameters),
        floats(3 * parameters),
        floats(states(plan, pp, rows) + passes(own, rows)),
        floats(buffers),
        JVM);
  }

  /**
   * The most sequences in a micro-batch with which a rank takes no more than {@code bytes}; 0:
   * none.
   */
  public int largestMicroBatch(int dp, int pp, long bytes) {
    int fits = 0;
    for (int step = MOST_MICRO_BATCH; step > 0; step /= 2) {
      if (of(dp, pp, fits + step).total() <= bytes) {
        fits += step;
      }
    }
    return fits;
  }

  private boolean kl() {
    return options.objective() == Objective.KL;
  }

  private static long floats(long count) {
    return count * Float.BYTES;
  }

  private long parameters(ExitOutline e) {
    long c = config.hidden();
    long head = e.ownHead() ? vocab(e) * c : 0;
    if (e.isLookahead()) {
      return head + 2 * c + 2 * c * c + layer();
    }
    return head
        + switch (e.architecture().orElseThrow()) {
          case EMBEDDING -> 0;
          case NORM -> c;
          case MLP -> mlp() + c;
          case LAYER -> layer() + c;
        };
  }

  private long vocab(ExitOutline e) {
    return e.draftTokens() == 0 ? config.vocab() : e.draftTokens();
  }

  private long mlp() {
    return (config.switches().gated() ? 3L : 2L) * config.hidden() * config.ffn();
  }

  private long layer() {
    return mlp() + 2L * config.hidden() * (queries() + keys()) + 2L * config.hidden();
  }

  private long queries() {
    return (long) config.heads() * config.headSize();
  }

  private long keys() {
    return (long) config.kvHeads() * config.headSize();
  }

  /** Hidden states of the micro-batches under way, and those in which layers take turns. */
  private long states(StagePlan plan, int pp, long rows) {
    long one = rows * config.hidden();
    long depths = plan.exits(pp).size();
    if (mesh.pp() == 1) {
      return one * (2 * depths + (kl() ? 3 : 1));
    }
    Stage s = plan.stage(pp);
    ForwardOnly schedule = new ForwardOnly(pp, mesh.pp(), s.returns() ? 1 : 0, Long.MAX_VALUE / 2);
    long flights = schedule.ahead() + (pp == 0 ? 1 : 2 + (s.returns() && s.isLast() ? 1 : 0));
    boolean teacher = s.isLast() || plan.teachers().contains(pp);
    long each = 2 * depths + 3 + (kl() && teacher ? 1 : 0);
    return flights * one * each;
  }

  /** What the exits' passes need of a micro-batch. */
  private long passes(List<ExitOutline> own, long rows) {
    long all = 0;
    long most = 0;
    long chunks = 0;
    for (ExitOutline e : own) {
      long v = vocab(e);
      long k = Math.min(rows, Math.clamp(CHUNK_BYTES / 4 / v, 128, 512));
      long head = e.ownHead() ? v * config.hidden() : 0;
      chunks = Math.max(chunks, k * v);
      boolean together = kl() && !e.isLookahead();
      long pass = rows * (together ? kept(e) : kept(e) + back(e)) + head;
      if (together) {
        all += pass;
      } else {
        most = Math.max(most, pass + (kl() ? 3 : 1) * k * v);
      }
    }
    if (all > 0) {
      all += rows * own.stream().mapToLong(this::shared).max().orElse(0) + 3 * chunks;
    }
    return Math.max(all, most);
  }

  /** Floats a token that an exit keeps for its backward pass. */
  private long kept(ExitOutline e) {
    long c = config.hidden();
    long f = config.ffn();
    return switch (e.architecture().orElse(ExitArchitecture.LAYER)) {
      case EMBEDDING -> 0;
      case NORM -> 3 * c;
      case MLP -> 6 * c + 3 * f;
      case LAYER -> 6 * c + 3 * queries() + 3 * keys() + 3 * f;
    };
  }

  /** Floats a token of gradients and the like that are there at one time. */
  private long back(ExitOutline e) {
    long c = config.hidden();
    long f = config.ffn();
    return switch (e.architecture().orElse(ExitArchitecture.LAYER)) {
      case EMBEDDING -> 4 * c;
      case NORM -> 3 * c;
      case MLP -> c + 3 * f;
      case LAYER -> 10 * c + 3 * f;
    };
  }

  /** The same where the exits' graphs are walked one after another. */
  private long shared(ExitOutline e) {
    long c = config.hidden();
    return switch (e.architecture().orElse(ExitArchitecture.LAYER)) {
      case EMBEDDING, NORM -> c;
      case MLP, LAYER -> 3 * c + 3L * config.ffn();
    };
  }
}
