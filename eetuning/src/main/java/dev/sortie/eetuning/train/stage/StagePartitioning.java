package dev.sortie.eetuning.train.stage;

import dev.sortie.eetuning.train.rank.MicrobatchAssignment;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How the layers of a run are shared out among its stages, the same on all ranks.
 *
 * @param split how it is found; measuring takes some seconds
 * @param out folder of the run, which keeps what was measured
 * @param device that will compute
 */
public record StagePartitioning(StageSplit split, Path out, ProcessGroups groups, Device device) {

  /**
   * The counted costs, or those measured where the split wants them: see {@link
   * StageCostCache#measured}. A collective call.
   *
   * @param parts among which layers are shared out
   * @param counted the costs by counted work
   * @param measure this rank's costs, if it finds some; takes some seconds
   */
  public StageCosts costs(
      int parts, StageWorkload work, StageCosts counted, Supplier<Optional<StageCosts>> measure) {
    boolean wanted = split.way() == StageSplit.Way.MEASURED && parts > 1;
    return wanted && work.fits()
        ? new StageCostCache(out, groups, device.kernels())
            .measured(work.describe(), counted, measure)
        : counted;
  }

  /** Micro-batches of a step that each replica computes, of so many in all. */
  public int rounds(int microBatches) {
    return MicrobatchAssignment.of(groups).count(microBatches);
  }
}
