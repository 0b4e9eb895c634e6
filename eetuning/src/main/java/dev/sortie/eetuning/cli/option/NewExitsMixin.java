package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.cli.view.ExitTable;
import dev.sortie.eetuning.cli.view.ExitsJson;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  /**
   * Writes exits that come out of these folders. Thresholds that lie with them are copied if they
   * were calibrated for the same weights, and named otherwise.
   */
  public void write(Exits exits, LanguageModel model, List<Path> from) {
    Map<Path, Calibrated> thresholds = new LinkedHashMap<>();
    for (Path folder : from) {
      Path file = folder.resolve(ThresholdsMixin.DEFAULT);
      if (Files.exists(file)) {
        thresholds.put(file, ThresholdsFile.read(file));
      }
    }
    write(exits, model);
    String written = Sha256.of(out.resolve(ExitsFile.TENSORS));
    thresholds.forEach(
        (file, calibrated) -> {
          if (calibrated.exitsSha256().equals(written)) {
            ThresholdsFile.write(out.resolve(ThresholdsMixin.DEFAULT), calibrated);
          } else {
            System.err.printf(
                "note: %s is not copied: its thresholds hold only for the exits there; run calibrate for the new ones%n",
                file);
          }
        });
  }

  private DType type() {
    return switch (store) {
      case "f32" -> DType.F32;
      case "bf16" -> DType.BF16;
      default -> throw new UsageException("--store '" + store + "' is unknown; take f32 or bf16");
    };
  }
}
