package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.view.ScheduleView;
import dev.sortie.eetuning.decode.pipeline.DecodingRanks;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.eetuning.decode.pipeline.StageTime;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.host.OutputFile;
import dev.sortie.eetuning.plot.Svg;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.DecoderConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of decoding on several ranks. */
public final class PipelineMixin {
  /** Times of each stage that a picture still shows. */
  private static final int TRACED = 4000;

  @Option(
      names = "--tp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Tensor-parallel ranks per stage, in a job started by launch. Each rank "
              + "reads and holds only its shard of the weights. Default: "
              + "${DEFAULT-VALUE}.")
  public int tp;

  @Option(
      names = "--pp",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Pipeline stages, in a job of --tp times --pp ranks started by launch. "
              + "When a token exits early, the next token starts while deeper stages "
              + "still complete it. Token ids, exits and confidences are the same as "
              + "with one stage. Default: ${DEFAULT-VALUE}.")
  public int pp;

  @Option(
      names = "--cut",
      paramLabel = "LAYERS",
      split = ",",
      description =
          "Layers after which stages end, such as 10,20 for --pp 3. Default: "
              + "minimizes the largest amount of weights that any stage reads per token.")
  private List<Integer> cut = new ArrayList<>();

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "With --pp: number of --prompts in flight. Default: twice the number of " + "stages.")
  private Integer batch;

  @Option(
      names = "--plot-schedule",
      paramLabel = "FILE.svg",
      description = "With --pp: plot what each stage did over time.")
  private Path plotSchedule;

  /** Checks numbers of ranks, and options that go together. */
  public void check(boolean several) {
    DecodingRanks.check(tp, pp);
    if (pp < 2 && (!cut.isEmpty() || batch != null || plotSchedule != null)) {
      String option =
          !cut.isEmpty() ? "--cut" : batch != null ? "--batch" : "--plot-schedule " + plotSchedule;
      throw new UsageException(option + " is for a pipeline; give --pp 2 or more with it");
    }
    if (plotSchedule != null) {
      OutputFile.check("--plot-schedule", plotSchedule);
      OutputFile.requireKind("--plot-schedule", plotSchedule, Svg.BEGINNING);
    }
    if (batch != null && !several) {
      throw new UsageException("--batch " + batch + " is for --prompts FILE");
    }
    if (!cut.isEmpty() && cut.size() != pp - 1) {
      throw new UsageException(
          "--cut names %d layers, --pp %d has %d places between stages"
              .formatted(cut.size(), pp, pp - 1));
    }
  }

  /** Ranks in all. */
  public int ranks() {
    return tp * pp;
  }

  /** Draws what the stages did, if that was asked for. */
  public void draw(List<StageTime> times) {
    if (plotSchedule != null) {
      ScheduleView.draw(plotSchedule, times);
    }
  }

  /** Texts that are under way at one time. */
  public int texts() {
    return batch == null ? 2 * pp : batch;
  }

  /** Times that each stage remembers. */
  public int traced() {
    return plotSchedule == null ? 0 : TRACED;
  }

  /** Who has which layers and exits. */
  public DecodingStages stages(DecoderConfig config, List<ExitOutline> exits) {
    if (cut.isEmpty()) {
      return DecodingStages.balanced(config, exits, pp);
    }
    List<Integer> ends = new ArrayList<>(cut);
    ends.add(config.layers());
    return new DecodingStages(config, exits, ends);
  }
}
