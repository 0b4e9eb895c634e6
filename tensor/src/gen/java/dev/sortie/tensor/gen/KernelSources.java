package dev.sortie.tensor.gen;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes the kernels whose sources are generated and committed. From the root of the repository,
 * then format with {@code mvn spotless:apply -pl tensor}:
 *
 * <pre>java tensor/src/gen/java/dev/sortie/tensor/gen/KernelSources.java</pre>
 */
public final class KernelSources {
  private static final Path FOLDER = Path.of("tensor/src/main/java/dev/sortie/tensor/kernel/simd");

  private KernelSources() {}

  /** Writes all sources; takes no arguments. */
  public static void main(String[] args) throws IOException {
    for (Map.Entry<String, String> file : all().entrySet()) {
      Files.writeString(FOLDER.resolve(file.getKey()), file.getValue());
    }
  }

  /** The sources, not yet formatted, by their place below the package of SIMD kernels. */
  public static Map<String, String> all() {
    Map<String, String> files = new TreeMap<>(RowKernelSources.sources());
    files.putAll(MicroKernelSources.sources());
    files.putAll(TransposeSources.sources());
    files.putAll(TileKernelSources.sources());
    files.putAll(ByteKernelSources.sources());
    return files;
  }
}
