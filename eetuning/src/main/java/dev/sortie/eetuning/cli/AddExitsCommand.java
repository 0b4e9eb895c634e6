package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Stage 1 of EE-Tuning. */
@Command(
    name = "add-exits",
    mixinStandardHelpOptions = true,
    description =
        "Makes new exits for a model, into exits.safetensors and exits.json. The model is not touched.")
final class AddExitsCommand implements Callable<Integer> {
  @Mixin private ComputeOptions compute;
  @Mixin private ModelOptions model;

  @Option(
      names = "--at",
      required = true,
      split = ",",
      paramLabel = "DEPTH",
      description = "After which layers, as in 4,8.")
  private List<Integer> depths;

  @Option(
      names = "--arch",
      paramLabel = "ARCH",
      defaultValue = "mlp",
      description = "embedding, norm, mlp or layer. Default: ${DEFAULT-VALUE}.")
  private String architecture;

  @Option(
      names = "--init",
      paramLabel = "INIT",
      defaultValue = "copy",
      description = "copy the backbone's modules, or random. Default: ${DEFAULT-VALUE}.")
  private String init;

  @Option(
      names = "--head",
      paramLabel = "HEAD",
      defaultValue = "own",
      description =
          "own: a head for each exit, tuned (untied); backbone: the backbone's, frozen (tied). Default: ${DEFAULT-VALUE}.")
  private String head;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "For random initialisation. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder for the exits.")
  private Path out;

  @Override
  public Integer call() {
    ExitArchitecture arch = ExitArchitecture.of(architecture);
    ExitInit how = ExitInit.of(init);
    boolean own = HeadWord.isOwn(head);
    if (ExitsFile.exists(out)) {
      throw new InputException(
          "--out "
              + out
              + " holds exits already; give another folder, and combine with merge-exits");
    }
    try (Device device = compute.open();
        LanguageModel m = model.load(device);
        NativeArena arena = new NativeArena("exits")) {
      List<Exit> list =
          depths.stream()
              .map(
                  d ->
                      how.build(
                          new ExitSpec(d, arch, own), m.decoder(), seed, arena, device.kernels()))
              .toList();
      Exits exits = new Exits(m.sha256(), Map.of(), list);
      ExitsFile.write(out, exits, m);
      ExitTable.print(exits, out, System.err);
    }
    return 0;
  }
}
