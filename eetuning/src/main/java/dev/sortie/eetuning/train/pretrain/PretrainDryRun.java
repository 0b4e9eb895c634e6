package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.DryRun;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.device.Device;

/**
 * The memory that training from scratch takes.
 *
 * @param config of the model
 * @param options of the run
 * @param length tokens in a sequence
 * @param mesh of ranks
 * @param layout how stages take turns
 * @param split how layers are shared out among them; what a run would measure is counted
 * @param sequence whether ranks that share weights share out the rows of the residual stream too
 * @param copies whether checkpoints are written from copies
 */
public record PretrainDryRun(
    DecoderConfig config,
    PretrainOptions options,
    int length,
    Mesh mesh,
    PretrainLayout layout,
    StageSplit split,
    boolean sequence,
    boolean copies)
    implements DryRun {

  @Override
  public int microBatch() {
    return options.microBatch();
  }

  @Override
  public RankMemory of(Coordinates at, int microBatch) {
    PretrainPlan plan =
        new PretrainPlan(config, options.exits().specs(), length, layout.chain(mesh.pp()), split);
    try (ProcessGroups groups = ProcessGroups.dry(mesh, at);
        Device device = DryRun.device();
        Pretrainer trainer =
            Pretrainer.dry(
                config,
                options.with(microBatch, enough(options.microBatches())),
                new RowsSource(new int[1][length + 1], 0, 0),
                device,
                PretrainPlacement.on(groups, sequence, layout).with(plan, t -> {}))) {
      DryRun.steps(trainer, options.schedule().steps());
      return trainer.memory(copies);
    }
  }
}
