package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.ExitWords;
import dev.sortie.eetuning.cli.option.NewExitsMixin;
import dev.sortie.eetuning.cli.option.UsedModelMixin;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Leaves exits out. */
@Command(
    name = "drop-exits",
    mixinStandardHelpOptions = true,
    description = "Copies the exits of a folder, leaving out those at the given depths.")
public final class DropExitsCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;
  @Mixin private UsedModelMixin model;
  @Mixin private NewExitsMixin result;

  @Option(
      names = "--exits",
      required = true,
      paramLabel = "DIR",
      converter = ExitWords.Folder.class,
      description = "Folder with exits.")
  private Path folder;

  @Option(
      names = "--at",
      required = true,
      split = ",",
      paramLabel = "DEPTH",
      description =
          "Depths to drop, such as 4,8. The depth of a lookahead exit is the "
              + "number of layers.")
  private List<Integer> depths;

  @Override
  public Integer call() {
    result.check();
    try (Device device = compute.open();
        LanguageModel m = model.load(device);
        NativeArena arena = new NativeArena("exits")) {
      Exits exits = ExitsReader.of(m).exact().read(folder, arena, device.kernels());
      int layers = m.config().decoder().layers();
      List<Integer> found = new ArrayList<>(exits.depths());
      exits.lookahead().ifPresent(l -> found.add(layers));
      for (int d : depths) {
        if (!found.contains(d)) {
          throw new InputException(
              folder + " has no exit at depth " + d + "; its exits stand at " + found);
        }
      }
      List<Exit> kept = exits.exits().stream().filter(e -> !depths.contains(e.depth())).toList();
      Exits left =
          new Exits(
              exits.backboneSha256(),
              exits.checkedBackbones(),
              exits.tuning(),
              kept,
              exits.lookahead().filter(l -> !depths.contains(layers)),
              exits.ngrams());
      result.write(left, m, List.of(folder));
    }
    return 0;
  }
}
