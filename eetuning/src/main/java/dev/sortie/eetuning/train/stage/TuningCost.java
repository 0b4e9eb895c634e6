package dev.sortie.eetuning.train.stage;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.nn.model.DecoderConfig;

/**
 * The work of tuning in multiplications and additions a token, counted from shapes: by it layers
 * are shared out among stages.
 *
 * @param config of the backbone
 * @param length tokens in a sequence
 */
public record TuningCost(DecoderConfig config, int length) {

  /** A layer, forward; causal attention reads half of the sequence on average. */
  double layer() {
    DecoderConfig c = config;
    double queries = (double) c.heads() * c.headSize();
    double keys = (double) c.kvHeads() * c.headSize();
    return 2 * c.hidden() * (queries + keys) + mlp() + length * queries;
  }

  private double mlp() {
    return (config.switches().gated() ? 3.0 : 2.0) * config.hidden() * config.ffn();
  }

  /**
   * An exit, forward and backward. A product costs as much again for the gradient of its weight and
   * as much for that of its input, where there is one to compute.
   */
  public double exit(ExitOutline e, int unroll) {
    double head = teacher(e) * (e.ownHead() ? 3 : 2);
    if (e.isLookahead()) {
      double projections = 2.0 * config.hidden() * config.hidden();
      return unroll * (3 * layer() + 3 * projections + head);
    }
    ExitArchitecture architecture = e.architecture().orElse(ExitArchitecture.NORM);
    // where the layers are frozen, the first product of an MLP has no gradient of its input
    double frozen =
        architecture == ExitArchitecture.MLP ? mlp() - (double) config.hidden() * config.ffn() : 0;
    return head + branch(architecture) - frozen;
  }

  /** What an exit computes before its head, both ways, where its input has a gradient. */
  double branch(ExitArchitecture architecture) {
    return switch (architecture) {
      case EMBEDDING, NORM -> 0;
      case MLP -> 3 * mlp();
      case LAYER -> 3 * layer();
    };
  }

  /** The teacher's logits over the tokens that an exit covers, and as much of its own. */
  public double teacher(ExitOutline e) {
    int tokens = e.draftTokens() == 0 ? config.vocab() : e.draftTokens();
    return (double) tokens * config.hidden();
  }
}
