package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.decode.single.KernelWarmUp;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.function.BiConsumer;
import picocli.CommandLine.Option;

/**
 * The frozen backbone of a command that trains on it. Every step takes thousands of tokens through
 * it, so its matrices are decoded once, to F32.
 */
public final class TunedModelMixin extends ModelMixin {
  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description =
          "Type of the backbone's matrices in memory. f32: decoded once. file: the "
              + "file's own types, used in place; identical results with less memory, "
              + "but slower. bf16: rounds weights of higher precision. Exits, gradients "
              + "and all arithmetic use F32. Default: ${DEFAULT-VALUE}.")
  private Precision precision;

  @Override
  Precision precision() {
    return precision;
  }

  /** A warm-up of the kernels that training needs, to be awaited before the first step. */
  public KernelWarmUp warmUp(BiConsumer<Decoder, Device> miniature, Device device) {
    return new KernelWarmUp(
        precision, arithmetic(), device, List.of(new KernelWarmUp.Use("trains", miniature)));
  }
}
