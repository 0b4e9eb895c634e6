package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tensors of a checkpoint by name, whatever file they are in. */
final class ShardReader implements AutoCloseable {
  private final Path folder;
  private final List<Safetensors> files = new ArrayList<>();
  private final Map<String, Safetensors> byName = new HashMap<>();

  /**
   * Opens the files of a checkpoint.
   *
   * @throws InputException if one is no good, or two hold the same tensor
   */
  ShardReader(Path folder, Collection<String> names) {
    this.folder = folder;
    try {
      for (String name : names) {
        Safetensors file = Safetensors.open(folder.resolve(name));
        files.add(file);
        for (String tensor : file.tensors().keySet()) {
          if (byName.putIfAbsent(tensor, file) != null) {
            throw new InputException(folder + ": two files hold tensor " + tensor);
          }
        }
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Reads the elements of these tensors; another rank may need the others. */
  void restore(Map<String, Tensor> state, Kernels kernels) {
    state.forEach(
        (name, t) -> {
          Safetensors file = byName.get(name);
          if (file == null) {
            throw new InputException(
                folder + ": the checkpoint has no tensor " + name + "; give another --out");
          }
          Shape shape =
              Shape.of(
                  file.tensors().get(name).shape().stream().mapToLong(Long::longValue).toArray());
          if (!shape.equals(t.shape()) || file.tensors().get(name).dtype() != DType.F32) {
            throw new InputException(
                folder
                    + ": tensor "
                    + name
                    + " has shape "
                    + shape
                    + ", this run needs "
                    + t.shape());
          }
          kernels.copy(file.read(name), t.span());
        });
  }

  @Override
  public void close() {
    files.forEach(Safetensors::close);
  }
}
