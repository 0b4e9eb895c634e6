package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.pretrain.PretrainExits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.optim.Schedule.Decay;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Options of exits that are trained with the backbone. */
public final class PretrainExitsMixin {
  @Option(
      names = "--exits-at",
      split = ",",
      paramLabel = "DEPTH",
      description =
          "Also train exits after these layers, such as 4,8. They are written to "
              + "the same folder.")
  private List<Integer> depths = List.of();

  @Option(
      names = "--arch",
      paramLabel = "ARCH",
      completionCandidates = ExitWords.Architectures.class,
      description = "Exit architecture: ${COMPLETION-CANDIDATES}. Default: norm.")
  private String architecture;

  @Option(
      names = "--head",
      paramLabel = "HEAD",
      description =
          "Exit heads. backbone: exits share the model's head and train it too "
              + "(tied). own: one head per exit. Default: backbone.")
  private String head;

  @Option(
      names = "--exit-weight",
      paramLabel = "DEPTH=X",
      description =
          "Weight of an exit's loss; the weight of the final loss is 1. May be "
              + "repeated. Default: 0.25 for each exit.")
  private Map<Integer, Double> weights = new LinkedHashMap<>();

  @Option(
      names = "--exit-weight-start",
      paramLabel = "X",
      defaultValue = "1",
      description =
          "Factor on the exit weights in the first step: below 1 to warm up, above "
              + "1 to cool down. Default: ${DEFAULT-VALUE}.")
  private double start;

  @Option(
      names = "--exit-weight-steps",
      paramLabel = "N",
      defaultValue = "0",
      description = "Number of steps until that factor reaches 1. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--exit-weight-ramp",
      paramLabel = "KIND",
      description = "How the factor changes: linear or cosine. Default: linear.")
  private Decay ramp;

  private static final double USUAL_WEIGHT = 0.25;

  /** Refuses what says how exits are where there are none. */
  public void check() {
    boolean ramped = start != 1 || steps != 0 || ramp != null;
    if (depths.isEmpty() && (architecture != null || head != null || ramped)) {
      throw new UsageException(
          "--arch, --head and --exit-weight-start, -steps and -ramp are of exits; give --exits-at too");
    }
    if (ramped && start == 1) {
      throw new UsageException(
          "--exit-weight-steps and --exit-weight-ramp need --exit-weight-start X");
    }
  }

  /**
   * The exits.
   *
   * @param layers of the backbone
   */
  public PretrainExits exits(int layers) {
    boolean own = head != null && ExitWords.ownHead(head);
    if ("lookahead".equals(architecture)) {
      throw new UsageException(
          "--arch lookahead needs a trained model: make it with add-exits; for pretrain take one of "
              + ExitArchitecture.words());
    }
    ExitArchitecture arch =
        architecture == null ? ExitArchitecture.NORM : ExitArchitecture.of(architecture);
    List<ExitSpec> specs = depths.stream().map(d -> new ExitSpec(d, arch, own)).toList();
    specs.forEach(s -> s.check(layers));
    return PretrainExits.of(
        specs, weights, USUAL_WEIGHT, start, steps, ramp == null ? Decay.LINEAR : ramp);
  }
}
