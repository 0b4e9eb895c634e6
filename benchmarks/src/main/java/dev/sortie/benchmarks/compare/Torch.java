package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.peer.LineProcess;
import java.nio.file.Path;
import java.util.List;

/** Starts PyTorch. */
final class Torch {
  private Torch() {}

  /** PyTorch with the model that {@link TrainingPlan#write} left in {@code folder}. */
  static LineProcess start(Settings settings, Path folder) {
    return LineProcess.start(
        settings.peers(),
        "torch_training.py",
        "torch",
        List.of(folder.toString(), String.valueOf(settings.threads())));
  }
}
