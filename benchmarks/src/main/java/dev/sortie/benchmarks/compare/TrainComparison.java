package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.TemporaryFolder;
import dev.sortie.eetuning.train.pretrain.PretrainOptions;
import dev.sortie.eetuning.train.pretrain.Pretrainer;
import dev.sortie.tensor.device.Device;
import java.util.LinkedHashMap;
import java.util.List;

/** A whole training step (forward, backward, AdamW) in F32 against PyTorch and JAX. */
public final class TrainComparison implements Comparison {
  private static final String CASE = "small decoder, F32";

  /** For the command line. */
  public TrainComparison() {}

  @Override
  public Measured run(Settings settings, Limits limits) {
    settings.choose(List.of(CASE), c -> c);
    TrainingPlan plan = new TrainingPlan(8);
    PretrainOptions options =
        new PretrainOptions(
            TrainingPlan.BATCH, TrainingPlan.BATCH, plan.schedule(), plan.adamW(), 1);
    try (TemporaryFolder folder = TemporaryFolder.create();
        Device device = Device.cpu(settings.threads());
        Pretrainer trainer = new Pretrainer(plan.config(), options, plan.source(), device)) {
      plan.write(folder.path(), trainer.decoder().parameters(), List.of(), new LinkedHashMap<>());
      try (TrainingPeers peers = TrainingPeers.start(settings, folder.path())) {
        settings.progress().accept("training steps; the peers compile theirs first");
        return new StepDuel(trainer, peers.ways(List.of("bf16_autocast")))
            .run(CASE, plan.tokensPerStep(), settings.rounds());
      }
    }
  }
}
