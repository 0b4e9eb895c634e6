package dev.sortie.nn.load;

import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.Map;

/** Writes a decoder's weights as Hugging Face's {@code model.safetensors}. */
public final class ModelWriter {
  private ModelWriter() {}

  /**
   * Writes {@code folder/model.safetensors}, whole or not at all.
   *
   * @param dtype type of all tensors in the file
   */
  public static void write(Path folder, Decoder decoder, DType dtype, Kernels kernels) {
    write(folder, decoder.parameters(), dtype, kernels);
  }

  /**
   * Writes {@code folder/model.safetensors}, whole or not at all.
   *
   * @param tensors by the decoder's names
   * @param dtype type of all tensors in the file
   */
  public static void write(Path folder, Map<String, Tensor> tensors, DType dtype, Kernels kernels) {
    try (NativeArena arena = new NativeArena("model writer")) {
      SafetensorsWriter writer =
          new SafetensorsWriter().metadata("format", "pt"); // what transformers expects to find
      tensors.forEach(
          (name, t) -> {
            Tensor copy = Tensor.allocate(arena, dtype, t.shape());
            kernels.copy(t.span(), copy.span());
            writer.tensor(name, copy.span(), t.shape().dims());
          });
      writer.write(folder.resolve("model.safetensors"));
    }
  }
}
