package dev.sortie.benchmarks;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.host.ExitsName;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of all benchmarks that decode with a model, held in one type, and perhaps its exits. */
final class ExitModelMixin extends MeasuredModelMixin {
  @Option(
      names = "--dtype",
      defaultValue = "bf16",
      paramLabel = "WORD",
      description = "f32, bf16 or file. Default: ${DEFAULT-VALUE}.")
  private String dtype;

  @Mixin private ArithmeticMixin arithmetic;

  @Option(
      names = "--exits",
      paramLabel = "DIR",
      description = "Folder with exits to leave at, or the word fable or smollm2.")
  private String exits;

  /** The word of {@code --dtype}. */
  String dtype() {
    return dtype;
  }

  /** The folder of exits, or null. */
  Path exitsFolder() {
    return exits == null ? null : ExitsName.path(exits);
  }

  /** Loads the model, to be closed. */
  LanguageModel load(Device device) {
    return LanguageModel.load(path(), precision(), arithmetic.arithmetic(), device);
  }

  /** The model's exits, in memory of {@code arena}; none if no folder is named. */
  Exits exits(LanguageModel m, NativeArena arena, Device device) {
    return exits == null
        ? Exits.none()
        : ExitsReader.of(m).read(exitsFolder(), arena, device.kernels());
  }

  private Precision precision() {
    for (Precision p : Precision.values()) {
      if (p.name().equalsIgnoreCase(dtype)) {
        return p;
      }
    }
    throw new UsageException("--dtype '" + dtype + "' is unknown; take f32, bf16 or file");
  }
}
