package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.view.ProgressLine;
import dev.sortie.eetuning.train.data.DatasetSource;
import dev.sortie.eetuning.train.data.SelfGeneratedText;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.CacheFolder;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** Options of tuning data that the model samples of itself. */
public final class SelfDataMixin {
  private static final long TOKENS = 400_000;
  private static final double TEMPERATURE = 0.8;

  @Option(
      names = "--self-tokens",
      paramLabel = "N",
      description =
          "For --data self: number of tokens to sample; they are kept in the "
              + "user's cache folder. Default: "
              + TOKENS
              + ".")
  private Long tokens;

  @Option(
      names = "--self-temperature",
      paramLabel = "X",
      description = "For --data self: sampling temperature. Default: " + TEMPERATURE + ".")
  private Double temperature;

  /** Refuses options of sampling where nothing is sampled. */
  public void refuse() {
    if (tokens != null || temperature != null) {
      throw new UsageException("--self-tokens and --self-temperature are for --data self");
    }
  }

  /** Refuses what cannot be sampled, or not by these ranks. */
  public void check(TrainingMixin training, Mesh mesh) {
    settings(training);
    checkWhole("--tp", mesh.tp());
    checkWhole("--pp", mesh.pp());
  }

  private static void checkWhole(String option, int ranks) {
    if (ranks > 1) {
      throw new UsageException(
          "--data self samples from the whole model, of which each rank of %s %d holds a part; take the token file that a run without %s has named"
              .formatted(option, ranks, option));
    }
  }

  /** Files after the word self give some texts their first words. */
  private SelfGeneratedText.Settings settings(TrainingMixin training) {
    List<Path> data = training.data();
    return new SelfGeneratedText.Settings(
        tokens == null ? TOKENS : tokens,
        temperature == null ? TEMPERATURE : temperature,
        training.seed,
        data.subList(1, data.size()));
  }

  /**
   * The tokens, sampled now if they were not before.
   *
   * @param silent whether nothing is said of it
   */
  public DatasetSource dataset(
      TrainingMixin training, LanguageModel model, Device device, boolean silent) {
    Path file = file(settings(training), model, device, silent);
    return training.tokens(file, model.config().decoder().vocab());
  }

  private Path file(
      SelfGeneratedText.Settings settings, LanguageModel model, Device device, boolean silent) {
    SelfGeneratedText text = new SelfGeneratedText(model, settings, device);
    Path parent = CacheFolder.of("sortie").resolve("self");
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
