package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.train.ExitMemory;
import dev.sortie.eetuning.train.MemoryPlan;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.stage.Stage;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.ForwardOnly;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * How much memory tuning takes on each rank, before it begins: the formulas of docs/memory.md.
 *
 * @param config of the backbone
 * @param exits all that are tuned
 * @param options of the run
 * @param length tokens in a sequence
 * @param mesh of ranks
 * @param sequence whether ranks that share weights share out the rows of the residual stream too
 * @param copies whether checkpoints are written from copies
 * @param weights bytes of the backbone's weights that a rank holds
 */
public record TuneMemory(
    DecoderConfig config,
    List<ExitOutline> exits,
    TuneOptions options,
    int length,
    Mesh mesh,
    boolean sequence,
    boolean copies,
    ToLongFunction<Coordinates> weights)
    implements MemoryPlan {

  @Override
  public int microBatch() {
    return options.microBatch();
  }

  @Override
  public RankMemory of(Coordinates at, int microBatch) {
    StagePlan plan = new StagePlan(config, exits, options, length, mesh.pp());
    List<ExitOutline> own = plan.exits(at.pp());
    ExitMemory share = new ExitMemory(config, mesh.tp(), at.tp(), sequence);
    long parameters = own.stream().mapToLong(share::parameters).sum();
    long rows = (long) microBatch * length;
    long buffers = 0;
    if (options.microBatches() > mesh.dp() && at.dp() == 0) {
      buffers += kl() ? parameters : own.stream().mapToLong(share::parameters).max().orElse(0);
    }
    long updated = Math.ceilDiv(parameters, mesh.dp()); // by this replica
    if (copies) {
      buffers += 2 * updated + (at.dp() == 0 ? parameters : 0);
    }
    buffers += (mesh.dp() - 1) * parameters; // pages of the others count where they are read
    return new RankMemory(
        weights.applyAsLong(at),
        floats(parameters),
        floats(parameters + 2 * updated),
        floats(states(plan, at.pp(), rows) + share.passes(own, rows, kl())),
        floats(buffers),
        JVM);
  }

  private boolean kl() {
    return options.objective() == Objective.KL;
  }

  private static long floats(long count) {
    return count * Float.BYTES;
  }

  /** Hidden states of the micro-batches under way, and those in which layers take turns. */
  private long states(StagePlan plan, int pp, long rows) {
    long one = rows * config.hidden() / (sequence ? mesh.tp() : 1);
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
}
