package dev.sortie.nn.load;

import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.tensor.memory.Span;
import java.nio.charset.StandardCharsets;

/**
 * SHA-256 over name, type, shape and elements of every tensor in file order, computed once when it
 * is first asked for. Names, types and elements are those of the file: a GGUF file and the
 * safetensors it was made from differ. It does not depend on how the file is cut into shards.
 */
public final class WeightsHash {
  private final WeightSource file;
  private String hex;

  /** A hash of {@code file}, which must be open when it is asked for. */
  WeightsHash(WeightSource file) {
    this.file = file;
  }

  /** The hash in hex. */
  public synchronized String hex() {
    if (hex == null) {
      Sha256 sha = new Sha256();
      file.tensors()
          .forEach(
              (name, info) -> {
                String head = name + " " + info.dtype() + " " + info.shape() + "\n";
                sha.update(head.getBytes(StandardCharsets.UTF_8));
                Span elements = file.read(name);
                sha.update(elements);
                MappedPages.letGo(elements);
              });
      hex = sha.hex();
    }
    return hex;
  }
}
