package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.peer.LineProcess;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The trainers that a step is compared with: PyTorch, as it is and compiled, and JAX. */
final class TrainingPeers implements AutoCloseable {
  private final LineProcess torch;
  private final LineProcess jax;

  private TrainingPeers(LineProcess torch, LineProcess jax) {
    this.torch = torch;
    this.jax = jax;
  }

  /**
   * A peer's way to take the step.
   *
   * @param variant as the script knows it, and after {@code peer_} the name of its figure in a row
   * @param name as people call it, with its version
   * @param equal whether it computes what Sortie does: its losses must agree, and it may be the
   *     fastest peer. Others are shown
   */
  record Way(String variant, String name, boolean equal, LineProcess process) {}

  /** Starts them with the model that {@link TrainingPlan#write} left in {@code folder}. */
  static TrainingPeers start(Settings settings, Path folder) {
    LineProcess torch = start(settings, folder, "torch");
    try {
      return new TrainingPeers(torch, start(settings, folder, "jax"));
    } catch (RuntimeException e) {
      torch.close();
      throw e;
    }
  }

  private static LineProcess start(Settings settings, Path folder, String name) {
    return LineProcess.start(
        settings.peers(),
        name + "_training.py",
        name,
        List.of(folder.toString(), String.valueOf(settings.threads())));
  }

  /**
   * All ways.
   *
   * @param others further variants of PyTorch, whose work is not equal
   */
  List<Way> ways(List<String> others) {
    return Stream.concat(
            Stream.of(
                new Way("eager", torch.peer() + ", eager", true, torch),
                new Way("compiled", torch.peer() + ", compiled", true, torch),
                new Way("jax", jax.peer(), true, jax)),
            others.stream().map(variant -> new Way(variant, torch.peer(), false, torch)))
        .toList();
  }

  @Override
  public void close() {
    try {
      torch.close();
    } finally {
      jax.close();
    }
  }
}
