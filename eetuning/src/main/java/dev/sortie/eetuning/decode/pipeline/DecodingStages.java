package dev.sortie.eetuning.decode.pipeline;

import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitSchedule;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.TokenWork;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.StageTensors;
import dev.sortie.parallel.pipeline.BalancedSplit;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Which layers and exits each stage of a decoding pipeline holds: the same on all ranks.
 *
 * @param config of the backbone
 * @param exits that may be asked
 * @param ends the number of layers up to the end of each stage, ascending; the last is all
 */
public record DecodingStages(DecoderConfig config, List<ExitOutline> exits, List<Integer> ends) {

  public DecodingStages {
    if (ends.size() > 1) {
      config.requireLayersUsedOnce("layers shared out between ranks or machines");
    }
    exits = exits.stream().filter(e -> !e.isLookahead()).toList();
    ends = List.copyOf(ends);
    int before = 0;
    for (int end : ends) {
      if (end <= before || end > config.layers()) {
        throw new InputException(
            "stages that end after layers %s: take ascending numbers from 1 to %d"
                .formatted(ends, config.layers() - 1));
      }
      before = end;
    }
    if (before != config.layers()) {
      throw new InputException(
          "the last stage ends after layer %d, the model has %d"
              .formatted(before, config.layers()));
    }
  }

  /**
   * The cut with which the stage that reads most weights for a token reads the least possible:
   * decoding is bound by that.
   *
   * @throws InputException if there are more stages than layers
   */
  public static DecodingStages balanced(DecoderConfig config, List<ExitOutline> exits, int stages) {
    if (stages > config.layers()) {
      throw new InputException(
          "--pp %d is more than the model's %d layers; take at most as many stages"
              .formatted(stages, config.layers()));
    }
    return new DecodingStages(
        config,
        exits,
        BalancedSplit.ends(
            config.layers(), stages, (from, to) -> weights(config, exits, from, to)));
  }

  private static double weights(DecoderConfig c, List<ExitOutline> exits, int from, int to) {
    double weights =
        (double) (to - from) * TokenWork.ofLayer(c).weights()
            + (to == c.layers() ? (double) c.vocab() * c.hidden() : 0);
    for (ExitOutline e : exits) {
      if (!e.isLookahead() && e.depth() > from && e.depth() <= to) {
        weights += e.headWeights(c) + TokenWork.of(e, c).weights();
      }
    }
    return weights;
  }

  /** Number of stages. */
  public int count() {
    return ends.size();
  }

  /** The first layer of a stage, counted from 0. */
  public int from(int stage) {
    return stage == 0 ? 0 : ends.get(stage - 1);
  }

  /** Behind the last layer of a stage. */
  public int to(int stage) {
    return ends.get(stage);
  }

  boolean isLast(int stage) {
    return stage == count() - 1;
  }

  /** Whether an exit that stands after {@code depth} layers is asked by a stage. */
  public boolean holds(int stage, int depth) {
    return depth > from(stage) && depth <= to(stage);
  }

  /** Whether a stage may choose tokens: it has an exit, or the end. */
  boolean answers(int stage) {
    return isLast(stage) || exits.stream().anyMatch(e -> holds(stage, e.depth()));
  }

  /** Which exits of all stages are evaluated for the tokens of a text. */
  ExitSchedule schedule(ExitPolicy policy, int maxPending) {
    int between = (int) exits.stream().filter(e -> e.depth() < config.layers()).count();
    return new ExitSchedule(exits.size(), between, maxPending, policy.rests());
  }

  /**
   * For {@link ExitSchedule#left}: the exit of all stages at a depth; empty for the final layer.
   */
  int exit(OptionalInt depth) {
    return (int) exits.stream().filter(e -> e.depth() < depth.orElse(Integer.MAX_VALUE)).count();
  }

  /** The tensors of the backbone that a stage computes with. */
  public StageTensors tensors(int stage) {
    boolean head =
        isLast(stage) || exits.stream().anyMatch(e -> holds(stage, e.depth()) && !e.ownHead());
    return new StageTensors(from(stage), to(stage), stage == 0, head, head, config.tiedHead());
  }

  /** One line for each stage. */
  public List<String> describe() {
    List<String> lines = new ArrayList<>();
    double all = weights(config, exits, 0, config.layers());
    for (int s = 0; s < count(); s++) {
      int stage = s;
      List<Integer> depths =
          exits.stream().map(ExitOutline::depth).filter(d -> holds(stage, d)).toList();
      lines.add(
          "stage %d: layers %d to %d, exits %s, %.0f %% of the weights that a token reads"
              .formatted(
                  s,
                  from(s) + 1,
                  to(s),
                  depths.isEmpty() ? "none" : depths,
                  100 * weights(config, exits, from(s), to(s)) / all));
    }
    return lines;
  }
}
