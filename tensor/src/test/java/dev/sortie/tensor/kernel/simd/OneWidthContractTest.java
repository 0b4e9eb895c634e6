package dev.sortie.tensor.kernel.simd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * In a process, all kernels use vectors of one width. The methods of the Vector API that they share
 * have one profile of types each: where it knows two widths, C2 keeps vectors in objects, in
 * kernels that are compiled later too.
 */
class OneWidthContractTest {
  private static final Path KERNELS = Path.of("src/main/java/dev/sortie/tensor/kernel/simd");
  private static final Pattern OWN_SPECIES = Pattern.compile("Vector\\.SPECIES_\\w+");

  /** {@code Width} chooses; the others are for one width each, and called where it is chosen. */
  private static final Set<String> MAY =
      Set.of("Width.java", "PackTranspose4.java", "PackTranspose8.java", "PackTranspose16.java");

  @Test
  void kernelsTakeTheirSpeciesFromWidth() throws IOException {
    Set<String> found = new TreeSet<>();
    try (Stream<Path> files = Files.walk(KERNELS)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (OWN_SPECIES.matcher(Files.readString(file)).find()) {
          found.add(file.getFileName().toString());
        }
      }
    }
    assertThat(found).isEqualTo(new TreeSet<>(MAY));
  }
}
