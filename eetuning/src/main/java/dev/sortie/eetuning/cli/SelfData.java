package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.CacheFolder;
import dev.sortie.eetuning.train.SelfText;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Options of tuning data that the model samples of itself. */
final class SelfData {
  private static final Path WORD = Path.of("self");

  @Option(
      names = "--self-tokens",
      paramLabel = "N",
      defaultValue = "400000",
      description =
          "For --data self: tokens that the model samples, kept in the user's cache folder. Default: ${DEFAULT-VALUE}.")
  private long tokens;

  @Option(
      names = "--self-temperature",
      paramLabel = "X",
      defaultValue = "0.8",
      description = "For --data self: temperature of sampling. Default: ${DEFAULT-VALUE}.")
  private double temperature;

  /** Whether the data are the model's own: the word {@code self}, then maybe text files. */
  static boolean isWanted(List<Path> data) {
    return data.getFirst().equals(WORD);
  }

  /** What is to be sampled, checked; files after the word give some texts their first words. */
  SelfText.Settings settings(List<Path> data, long seed) {
    return new SelfText.Settings(tokens, temperature, seed, data.subList(1, data.size()));
  }

  /**
   * The token file, sampled now if it was not before.
   *
   * @param silent whether nothing is said of it
   */
  Path file(SelfText.Settings settings, LanguageModel model, Device device, boolean silent) {
    SelfText text = new SelfText(model, settings, device);
    Path parent = CacheFolder.path().resolve("self");
    if (silent) {
      return text.file(parent, done -> {});
    }
    Path file;
    try (ProgressLine line = ProgressLine.start("sample", text.tokens(), System.err)) {
      file = text.file(parent, done -> line.step(done, ""));
      line.step(text.tokens(), "");
    }
    System.err.printf(Locale.ROOT, "tuning data: %s%n", file);
    return file;
  }
}
