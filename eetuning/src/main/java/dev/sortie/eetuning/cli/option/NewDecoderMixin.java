package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.LayerCycle;
import picocli.CommandLine.Option;

/** The sizes of a decoder that is trained from scratch. */
public final class NewDecoderMixin {
  @Option(
      names = "--layers",
      paramLabel = "N",
      defaultValue = "12",
      description = "Layers. Default: ${DEFAULT-VALUE}.")
  private int layers;

  @Option(
      names = "--hidden",
      paramLabel = "C",
      defaultValue = "192",
      description = "Hidden size. Default: ${DEFAULT-VALUE}.")
  private int hidden;

  @Option(
      names = "--heads",
      paramLabel = "H",
      defaultValue = "6",
      description = "Query heads. Default: ${DEFAULT-VALUE}.")
  private int heads;

  @Option(
      names = "--kv-heads",
      paramLabel = "K",
      defaultValue = "2",
      description = "Key and value heads. Default: ${DEFAULT-VALUE}.")
  private int kvHeads;

  @Option(
      names = "--ffn",
      paramLabel = "F",
      defaultValue = "512",
      description = "Intermediate size of the MLP. Default: ${DEFAULT-VALUE}.")
  private int ffn;

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "Maximum sequence length of the model. Default: --seq-len.")
  private Integer context;

  @Option(
      names = "--cycles",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Use the layers between the first and the last N times over, one after "
              + "the other with the same weights, with a zero token in their attention "
              + "that gates them. The model is 2 + N (layers - 2) layers deep, and exits "
              + "stand at depths of these. On one whole model: without --tp and --pp. "
              + "Default: ${DEFAULT-VALUE}.")
  private int cycles;

  @Option(
      names = "--no-zero-token",
      description = "With --cycles: layers that are used again have neither zero token nor gate.")
  private boolean noZeroToken;

  /** How many layers are executed. */
  public int layers() {
    return cycle().executed(layers);
  }

  private LayerCycle cycle() {
    if (cycles < 1 || cycles > DecoderConfig.MOST_LAYERS) {
      throw new UsageException(
          "--cycles %d is outside 1 to %d".formatted(cycles, DecoderConfig.MOST_LAYERS));
    }
    if (cycles == 1) {
      if (noZeroToken) {
        throw new UsageException("--no-zero-token is for models of --cycles 2 or more");
      }
      return LayerCycle.NONE;
    }
    if (layers < 3) {
      throw new UsageException(
          "--cycles %d needs layers between the first and the last: take --layers 3 or more, not %d"
              .formatted(cycles, layers));
    }
    return new LayerCycle(cycles, !noZeroToken);
  }

  /**
   * The decoder.
   *
   * @param length tokens in a training sequence
   */
  public DecoderConfig config(int vocabSize, int length) {
    require("--layers", layers, 1, DecoderConfig.MOST_LAYERS);
    require("--hidden", hidden, 1, DecoderConfig.MOST_HIDDEN);
    require("--heads", heads, 1, DecoderConfig.MOST_HEADS);
    require("--kv-heads", kvHeads, 1, heads);
    require("--ffn", ffn, 1, DecoderConfig.MOST_FFN);
    if (context != null) {
      require("--context", context, 1, DecoderConfig.MOST_CONTEXT);
      if (context < length) {
        throw new UsageException(
            "--context %d is less than --seq-len %d".formatted(context, length));
      }
    }
    int headSize = headSize();
    if (heads % kvHeads != 0) {
      throw new UsageException(
          "--kv-heads %d does not divide --heads %d".formatted(kvHeads, heads));
    }
    DecoderConfig plain =
        new DecoderConfig(
            layers,
            hidden,
            heads,
            kvHeads,
            headSize,
            ffn,
            vocabSize,
            context == null ? length : context,
            1e-5,
            10000,
            false,
            false,
            false,
            true);
    return plain.withCycle(cycle());
  }

  private int headSize() {
    if (hidden % heads != 0 || hidden / heads < 2) {
      throw new UsageException(
          "--hidden %d must be a multiple of --heads %d, with 2 or more for each"
              .formatted(hidden, heads));
    }
    return hidden / heads;
  }

  private static void require(String option, int value, int low, int high) {
    if (value < low || value > high) {
      throw new UsageException("%s %d is outside %d to %d".formatted(option, value, low, high));
    }
  }
}
