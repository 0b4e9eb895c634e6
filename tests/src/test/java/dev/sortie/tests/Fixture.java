package dev.sortie.tests;

import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/** The reference values under {@code fixtures/}, whose README says what each tensor is. */
final class Fixture implements AutoCloseable {
  private final Safetensors file;

  private Fixture(Safetensors file) {
    this.file = file;
  }

  /** A folder of {@code fixtures/}. */
  static Path folder(String name) {
    URL url = Fixture.class.getResource("/fixtures/" + name + "/expected.safetensors");
    try {
      return Path.of(Objects.requireNonNull(url, name).toURI()).getParent();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The {@code expected.safetensors} of a folder. */
  static Fixture open(String name) {
    return new Fixture(Safetensors.open(folder(name).resolve("expected.safetensors")));
  }

  /**
   * A folder or file of the models that come with the repository; skips the test where they are
   * absent.
   */
  static Path shared(String name) {
    String place = System.getProperty("SORTIE_SHARED", System.getenv("SORTIE_SHARED"));
    Path found = null;
    for (Path root :
        place == null
            ? new Path[] {Path.of("../shared"), Path.of("../../shared")}
            : new Path[] {Path.of(place)}) {
      if (root.resolve(name).toFile().exists()) {
        found = root.resolve(name);
      }
    }
    Assumptions.assumeTrue(
        found != null, name + " is not there; set SORTIE_SHARED to the folder that has it");
    return found;
  }

  /** The decoder of a fixture folder; trainable weights are leaves that collect gradients. */
  static Decoder decoder(String name, Bench bench, DType dtype, boolean trainable) {
    try (Safetensors weights = Safetensors.open(folder(name).resolve("model.safetensors"))) {
      return new Decoder(
          HfConfig.read(folder(name)).decoder(),
          bench.arena(),
          (tensor, shape, role) -> {
            Tensor copy = bench.copy(weights.read(tensor), shape, dtype);
            return trainable ? copy.asParameter() : copy;
          });
    }
  }

  Iterable<String> names() {
    return file.tensors().keySet();
  }

  Span read(String name) {
    return file.read(name);
  }

  Shape shape(String name) {
    return Shape.of(file.tensors().get(name).shape().stream().mapToLong(Long::longValue).toArray());
  }

  double scalar(String name) {
    return read(name).get(0);
  }

  Tensor ids(Bench bench, String name) {
    return bench.ids(read(name), shape(name));
  }

  /** Number of targets that are not ignored. */
  int counted() {
    Span targets = read("targets");
    int n = 0;
    for (long i = 0; i < targets.length(); i++) {
      n += targets.getInt(i) < 0 ? 0 : 1;
    }
    return n;
  }

  @Override
  public void close() {
    file.close();
  }
}
