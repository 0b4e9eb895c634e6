package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderConfig;
import picocli.CommandLine.Option;

/** The sizes of a decoder that is trained from scratch. */
public final class NewDecoder {
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

  /** How many layers. */
  public int layers() {
    return layers;
  }

  /**
   * The decoder.
   *
   * @param length tokens in a training sequence
   */
  public DecoderConfig config(int vocabSize, int length) {
    return new DecoderConfig(
        layers,
        hidden,
        heads,
        kvHeads,
        headSize(),
        ffn,
        vocabSize,
        context == null ? length : context,
        1e-5,
        10000,
        false,
        false,
        false,
        true);
  }

  private int headSize() {
    if (heads < 1 || hidden % heads != 0) {
      throw new InputException("--hidden " + hidden + " must be a multiple of --heads " + heads);
    }
    return hidden / heads;
  }
}
