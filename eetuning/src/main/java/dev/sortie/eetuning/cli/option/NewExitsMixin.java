package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.view.ExitTable;
import dev.sortie.eetuning.cli.view.ExitsJson;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The folder into which a command writes new exits, and how it says what they are. */
public final class NewExitsMixin {
  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder for the result.")
  private Path out;

  @Option(
      names = "--store",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description =
          "Type of the matrices in the written file: f32, or bf16, which rounds them "
              + "and takes half the space. Default: ${DEFAULT-VALUE}.")
  private String store;

  @Option(
      names = "--json",
      description =
          "Print the folder, exits, parameter counts and hashes as one JSON object "
              + "to standard output.")
  private boolean json;

  /** Refuses a folder that holds exits, and an unknown type. */
  public void check() {
    type();
    if (ExitsFile.exists(out)) {
      throw new InputException(
          "--out "
              + out
              + " holds exits already; give another folder, merge-exits combines several");
    }
  }

  /** Writes the exits, and prints what they are. */
  public void write(Exits exits, LanguageModel model) {
    ExitsFile.write(out, exits, model, type());
    ExitTable.print(exits, out, System.err);
    if (json) {
      System.out.println(Json.compact(ExitsJson.of(exits, out)));
    }
  }

  private DType type() {
    return switch (store) {
      case "f32" -> DType.F32;
      case "bf16" -> DType.BF16;
      default -> throw new UsageException("--store '" + store + "' is unknown; take f32 or bf16");
    };
  }
}
