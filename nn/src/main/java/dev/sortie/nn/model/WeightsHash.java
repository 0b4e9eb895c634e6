package dev.sortie.nn.model;

import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.Sha256;
import java.nio.charset.StandardCharsets;

/**
 * SHA-256 over name, type, shape and elements of every tensor in file order, computed once when it
 * is first asked for. It does not depend on how the file is cut into shards.
 */
public final class WeightsHash {
  private final Safetensors file;
  private String hex;

  /** A hash of {@code file}, which must be open when it is asked for. */
  WeightsHash(Safetensors file) {
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
                sha.update(file.read(name));
              });
      hex = sha.hex();
    }
    return hex;
  }
}
