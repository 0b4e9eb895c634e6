package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.host.OutputFile;
import dev.sortie.eetuning.plot.Svg;
import dev.sortie.eetuning.train.pretrain.PretrainLayout;
import dev.sortie.nn.UsageException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of the order in which stages of a pipeline work in full training. */
public final class PretrainScheduleMixin {
  private static final String USUAL = "1f1b";

  @Option(
      names = "--schedule",
      paramLabel = "WORD",
      description =
          "Pipeline schedule, with --pp: gpipe, 1f1b, or interleaved (several "
              + "model chunks per stage). The result is bit-identical. Default: "
              + USUAL
              + ".")
  private String schedule;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Model chunks per stage for --schedule interleaved. Default: 2.")
  private Integer chunks;

  @Option(
      names = "--plot-schedule",
      paramLabel = "FILE.svg",
      description =
          "With --pp: plot the planned and the actual pipeline schedule of the " + "last step.")
  private Path plot;

  public PretrainLayout layout() {
    return PretrainLayout.of(schedule == null ? USUAL : schedule, chunks);
  }

  /**
   * Refuses an order of stages where there is one alone, and what cannot be drawn.
   *
   * @param out folder of the run
   */
  public void check(int stages, Path out) {
    if (stages == 1 && schedule != null) {
      throw new UsageException(
          "--schedule " + schedule + " is of a pipeline; give --pp 2 or more with it");
    }
    if (plot == null) {
      return;
    }
    if (stages == 1) {
      throw new UsageException(
          "--plot-schedule " + plot + " draws a pipeline; give --pp 2 or more with it");
    }
    OutputFile.check("--plot-schedule", plot, out);
    OutputFile.requireKind("--plot-schedule", plot, Svg.BEGINNING);
  }

  /** Where to draw, null for nowhere. */
  public Path plot() {
    return plot;
  }
}
