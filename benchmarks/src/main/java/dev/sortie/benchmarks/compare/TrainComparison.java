package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.TemporaryFolder;
import dev.sortie.benchmarks.peer.LineProcess;
import dev.sortie.eetuning.train.pretrain.PretrainOptions;
import dev.sortie.eetuning.train.pretrain.Pretrainer;
import dev.sortie.tensor.device.Device;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A whole training step (forward, backward, AdamW) in F32 against PyTorch. */
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
      try (LineProcess peer = Torch.start(settings, folder.path())) {
        settings.progress().accept("training steps of " + peer.peer());
        StepDuel duel = new StepDuel(trainer, peer, "train");
        double[] seconds = duel.medians(settings.rounds(), List.of("bf16"));
        double tokens = plan.tokensPerStep();
        return new Measured(
            peer.peer(),
            List.of(
                new Row(
                    CASE,
                    "f32",
                    tokens / seconds[0],
                    tokens / seconds[1],
                    "tokens/s",
                    Map.of(
                        "peer_bf16_autocast",
                        Figure.rounded(tokens / seconds[2]),
                        "loss_difference",
                        Figure.rounded(duel.lossDifference())))));
      }
    }
  }
}
