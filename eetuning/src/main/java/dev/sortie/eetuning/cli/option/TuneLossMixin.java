package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.train.tune.LookaheadOptions;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.nn.UsageException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Options of what exits learn when they are tuned. */
public final class TuneLossMixin {
  @Option(
      names = "--objective",
      paramLabel = "WORD",
      defaultValue = "ce",
      description =
          "Training target. ce: the next token. kl: the final layer's distribution "
              + "(distillation). Losses are means over all tokens: with ce, one that a draft head "
              + "does not cover counts as 0 nats. Default: ${DEFAULT-VALUE}.")
  private String objective;

  @Option(
      names = "--token-weights",
      paramLabel = "WORD",
      defaultValue = "equal",
      description =
          "Weight of each token in the loss: equal, or confidence (the exit's "
              + "confidence). Default: ${DEFAULT-VALUE}.")
  private String tokenWeights;

  @Option(
      names = "--exit-weight",
      paramLabel = "DEPTH=X",
      description = "Weight of an exit's loss. May be repeated.")
  private Map<Integer, Double> exitWeights = new LinkedHashMap<>();

  @Option(
      names = "--lookahead-unroll",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Number of steps over which a lookahead exit is unrolled in training, "
              + "each step reading its own previous state. Default: ${DEFAULT-VALUE}.")
  private int unroll;

  @Option(
      names = "--lookahead-hidden",
      paramLabel = "X",
      defaultValue = "0",
      description =
          "Weight of the distance between a lookahead exit's states and the true "
              + "hidden states. Default: ${DEFAULT-VALUE}.")
  private double hiddenWeight;

  /** With how it is learnt. */
  public TuneOptions options(TrainingMixin training) {
    return new TuneOptions(
        Objective.of(objective),
        isConfidence(),
        exitWeights,
        training.microBatch,
        training.globalBatch(),
        training.schedule(),
        training.adamW(),
        training.seed,
        new LookaheadOptions(unroll, hiddenWeight));
  }

  /** Refuses options of a lookahead exit where there is none among those to be tuned. */
  public void checkUsed(List<ExitOutline> exits) {
    boolean asks = !new LookaheadOptions(unroll, hiddenWeight).equals(LookaheadOptions.DEFAULT);
    if (asks && exits.stream().noneMatch(ExitOutline::isLookahead)) {
      throw new UsageException(
          "--lookahead-unroll and --lookahead-hidden are for a lookahead exit, of which there is none; leave them out");
    }
  }

  private boolean isConfidence() {
    return switch (tokenWeights) {
      case "equal" -> false;
      case "confidence" -> true;
      default ->
          throw new UsageException(
              "--token-weights '" + tokenWeights + "' is unknown; take equal or confidence");
    };
  }
}
