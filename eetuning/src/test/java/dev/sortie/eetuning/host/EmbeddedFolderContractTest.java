package dev.sortie.eetuning.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** An embedded folder that is unpacked is whole whenever it is asked for. */
@Tag("any-kernels")
class EmbeddedFolderContractTest {
  @TempDir private Path cache;

  @Test
  void aFileThatWasDamagedIsWrittenAgain() throws IOException {
    Path folder = EmbeddedFolder.FABLE.path(cache);
    Path weights = folder.resolve("model.safetensors");
    byte[] whole = Files.readAllBytes(weights);
    Object untouched = Files.getLastModifiedTime(folder.resolve("tokenizer.json"));

    byte[] flipped = whole.clone();
    flipped[whole.length - 1] ^= 1;
    Files.write(weights, flipped);
    assertThat(EmbeddedFolder.FABLE.path(cache)).isEqualTo(folder);
    assertThat(weights).hasBinaryContent(whole);

    try (FileChannel file = FileChannel.open(weights, StandardOpenOption.WRITE)) {
      file.truncate(1000);
    }
    Files.delete(folder.resolve("config.json"));
    EmbeddedFolder.FABLE.path(cache);
    assertThat(weights).hasBinaryContent(whole);
    assertThat(folder.resolve("config.json")).exists();
    assertThat(Files.getLastModifiedTime(folder.resolve("tokenizer.json"))).isEqualTo(untouched);
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(5);
    }
  }

  @ParameterizedTest
  @CsvSource({"fable, FABLE_EXITS,", "smollm2, SMOLLM2_EXITS, ngrams.safetensors"})
  void exitsThatComeWithSortieAreThoseOfTheirThresholds(
      String name, EmbeddedFolder exits, String more) throws IOException {
    Path folder = exits.path(cache);
    List<String> files =
        Stream.of("README.md", "exits.json", "exits.safetensors", "thresholds.json", more)
            .filter(Objects::nonNull)
            .toList();
    assertThat(Altered.files(folder)).containsExactlyInAnyOrderElementsOf(files);
    assertThat(ThresholdsFile.read(folder.resolve("thresholds.json")).exitsSha256())
        .isEqualTo(Sha256.of(folder.resolve("exits.safetensors")));
    Path own = Files.createDirectory(cache.resolve(name));
    assertThat(ExitsName.path(own.toString())).isEqualTo(own);
    assertThat(ExitsName.path(name).resolve("exits.json"))
        .hasSameBinaryContentAs(folder.resolve("exits.json"));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskIsNamedAndKeepsNothing() throws Exception {
    Path disk = Files.createDirectory(cache.resolve("disk"));
    String[] mount = {"mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk.toString()};
    assumeTrue(run(mount) == 0, "a small disk in memory cannot be mounted");
    try {
      assertThatThrownBy(() -> EmbeddedFolder.FABLE.path(disk.resolve("sortie")))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("No space left on device");
      assertThat(Altered.files(disk)).isEmpty();
      try (var left = Files.walk(disk)) {
        assertThat(left).containsOnly(disk, disk.resolve("sortie"));
      }
    } finally {
      run("umount", "-l", disk.toString());
    }
  }

  private static int run(String... words) throws Exception {
    return new ProcessBuilder(words)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
