package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.ExitWords;
import dev.sortie.eetuning.cli.option.NewExitsMixin;
import dev.sortie.eetuning.cli.option.UsedModelMixin;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Stage 1 of EE-Tuning. */
@Command(
    name = "add-exits",
    mixinStandardHelpOptions = true,
    description =
        "Creates new exits for a model and writes exits.safetensors and "
            + "exits.json. The model is not changed. Weights copied from it are stored "
            + "as F32, whatever their type.")
public final class AddExitsCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;
  @Mixin private UsedModelMixin model;

  @Option(
      names = "--at",
      split = ",",
      paramLabel = "DEPTH",
      description =
          "The layers to attach exits to, such as 4,8. Not for lookahead, which "
              + "always follows the last layer.")
  private List<Integer> depths = List.of();

  @Option(
      names = "--arch",
      paramLabel = "ARCH",
      defaultValue = "mlp",
      completionCandidates = ExitWords.Architectures.class,
      description = "${COMPLETION-CANDIDATES} or lookahead. Default: ${DEFAULT-VALUE}.")
  private String architecture;

  @Option(
      names = "--init",
      paramLabel = "INIT",
      defaultValue = "copy",
      description =
          "Initial weights: copy (from the backbone's modules) or random. Default: "
              + "${DEFAULT-VALUE}.")
  private String init;

  @Option(
      names = "--head",
      paramLabel = "HEAD",
      defaultValue = "own",
      description =
          "own: each exit has its own head, which is tuned (untied). backbone: "
              + "exits use the backbone's frozen head (tied). Default: ${DEFAULT-VALUE}.")
  private String head;

  @Option(
      names = "--draft-head",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Restrict the head to the N most frequent tokens, such as 8192; tune "
              + "counts them in its data. 0: all tokens. Default: ${DEFAULT-VALUE}.")
  private int draftTokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed for random initialisation. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--features",
      split = ",",
      paramLabel = "DEPTH",
      description =
          "For lookahead: the layers whose hidden states the exit reads. Several, "
              + "such as 2,15,27 of 30, are joined by learned projections (EAGLE-3). "
              + "Default: the last layer.")
  private List<Integer> features = List.of();

  @Mixin private NewExitsMixin result;

  @Override
  public Integer call() {
    boolean ahead = architecture.equals("lookahead");
    if (ahead != depths.isEmpty()) {
      throw new UsageException(
          ahead
              ? "--at "
                  + depths
                  + " has no meaning for a lookahead exit, which stands after the last layer; leave it out"
              : "--at is missing: name the layers after which exits stand, as in --at 4,8");
    }
    if (!ahead && !features.isEmpty()) {
      throw new UsageException(
          "--features %s is for --arch lookahead; other exits read the hidden state after their layer"
              .formatted(features));
    }
    ExitInit how = ExitInit.of(init);
    boolean own = ExitWords.ownHead(head);
    if (draftTokens < 0) {
      throw new UsageException("--draft-head " + draftTokens + " must be 0 or more");
    }
    result.check();
    try (Device device = compute.open();
        LanguageModel m = model.load(device);
        NativeArena arena = new NativeArena("exits")) {
      Exits exits =
          ahead
              ? new Exits(
                  m.sha256(),
                  Map.of(),
                  List.of(),
                  Optional.of(
                      how.lookahead(
                          features, own, draftTokens, m.decoder(), seed, arena, device.kernels())))
              : new Exits(m.sha256(), Map.of(), exits(how, own, m, arena, device));
      result.write(exits, m);
    }
    return 0;
  }

  private List<Exit> exits(
      ExitInit how, boolean own, LanguageModel m, NativeArena arena, Device device) {
    ExitArchitecture arch = ExitArchitecture.of(architecture);
    return depths.stream()
        .map(d -> new ExitSpec(d, arch, own, draftTokens))
        .map(spec -> how.build(spec, m.decoder(), seed, arena, device.kernels()))
        .toList();
  }
}
