package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.view.ProgressLine;
import dev.sortie.eetuning.eval.DepthOracle;
import dev.sortie.eetuning.eval.LayerSetOracle;
import dev.sortie.eetuning.eval.TokenReadings;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import picocli.CommandLine.Option;

/** What an oracle is asked about a text. */
public final class OracleMixin {
  /** The search takes about a second for each token of a model of 30 layers. */
  private static final int SEARCHED = 256;

  @Option(
      names = "--oracle",
      description =
          "For --text and --exits: the least depth that each token needs, by kind of "
              + "token, next to the depth that --thresholds take, or the lowest single "
              + "threshold with agreement 0.95.")
  private boolean oracle;

  @Option(
      names = "--layer-sets",
      paramLabel = "N",
      description =
          "With --oracle: also the fewest layers if any may be left out, searched with N sets "
              + "for each depth and number of layers. All sets are tried if N is large: "
              + "924 for 12 layers. With 30 layers take 4 to 16.")
  private Integer width;

  @Option(
      names = "--oracle-tokens",
      paramLabel = "N",
      description =
          "With --oracle: use at most the first N tokens of the text. Default: all, and with "
              + "--layer-sets "
              + SEARCHED
              + ".")
  private Integer tokens;

  /** For picocli. */
  public OracleMixin() {}

  /**
   * What an oracle knows.
   *
   * @param exits which it may take
   * @param sets of layers, if they were asked for
   */
  public record Answer(DepthOracle.Result exits, Optional<LayerSetOracle.Result> sets) {}

  /** Whether an oracle is asked. */
  public boolean isAsked() {
    return oracle;
  }

  /**
   * Checks options that go together.
   *
   * @param possible whether there are a text and exits
   */
  public void check(boolean possible) {
    if (oracle && !possible) {
      throw new UsageException("--oracle needs --text FILE and --exits DIR");
    }
    if (!oracle && (width != null || tokens != null)) {
      throw new UsageException("--layer-sets and --oracle-tokens need --oracle");
    }
    if (width != null && width < 1) {
      throw new UsageException("--layer-sets " + width + " must be at least 1");
    }
    if (tokens != null && tokens < TokenReadings.FEWEST) {
      throw new UsageException(
          "--oracle-tokens " + tokens + " must be at least " + TokenReadings.FEWEST);
    }
  }

  /**
   * Asks.
   *
   * @param thresholds to compare with; empty for the lowest single one that is good enough
   */
  public Answer ask(
      LanguageModel m,
      Exits exits,
      Device device,
      List<String> documents,
      Optional<SequencedMap<Integer, Double>> thresholds) {
    int most = tokens != null ? tokens : width == null ? Integer.MAX_VALUE : SEARCHED;
    List<TokenReadings> readings;
    int length = documents.stream().mapToInt(String::length).sum();
    try (ProgressLine line = ProgressLine.start("oracle", Math.max(1, length), System.err)) {
      readings =
          TokenReadings.ofTexts(
              m, exits, device, documents, most, (read, all) -> line.step(length * read / all, ""));
    }
    DepthOracle depths = new DepthOracle(m.config().decoder().layers(), m.tokenizer());
    DepthOracle.Result result =
        thresholds.map(t -> depths.against(readings, t)).orElseGet(() -> depths.against(readings));
    return new Answer(result, Optional.ofNullable(width).map(n -> search(m, device, n, readings)));
  }

  private static LayerSetOracle.Result search(
      LanguageModel m, Device device, int width, List<TokenReadings> readings) {
    int all = readings.stream().mapToInt(TokenReadings::tokens).sum();
    try (ProgressLine line = ProgressLine.start("sets of layers", all, System.err)) {
      return new LayerSetOracle(m, device, width)
          .search(readings, (done, of) -> line.step(done, ""));
    }
  }
}
