package dev.sortie.nn.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Files appear whole or not at all; what is no file is not replaced by one. */
final class AtomicFilesContractTest {
  @TempDir private Path temp;

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aNamedPipeGetsTheBytesAndStays() throws Exception {
    Path pipe = temp.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    CompletableFuture<byte[]> read = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try (var in = Files.newInputStream(pipe)) {
                read.complete(in.readAllBytes());
              } catch (IOException e) {
                read.completeExceptionally(e);
              }
            });
    AtomicFiles.write(pipe, "a fox".getBytes(StandardCharsets.UTF_8));
    assertThat(read.get(10, TimeUnit.SECONDS)).asString().isEqualTo("a fox");
    assertThat(Files.isRegularFile(pipe)).isFalse();
    assertThat(names()).containsExactly("pipe");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aLinkIsReplacedAndNotWhatItLeadsTo() throws IOException {
    Path file = Files.writeString(temp.resolve("file"), "old");
    Path link = Files.createSymbolicLink(temp.resolve("link"), file);
    AtomicFiles.write(link, new byte[] {'n', 'e', 'w'});
    assertThat(link).hasContent("new");
    assertThat(Files.isSymbolicLink(link)).isFalse();
    assertThat(file).hasContent("old");
  }

  @Test
  void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
    Path file = Files.writeString(temp.resolve("file"), "old");
    AtomicFiles.Body full =
        _ -> {
          throw new IOException("No space left on device");
        };
    assertThatThrownBy(() -> AtomicFiles.write(file, full))
        .isInstanceOf(InputException.class)
        .hasMessage(
            file
                + ": cannot be written: No space left on device; check free space and permissions");
    assertThat(file).hasContent("old");
    assertThat(names()).containsExactly("file");
  }

  @Test
  void aReasonNamesTheCauseWhateverTheLengthOfThePath() {
    String path = "/a".repeat(200);
    assertThat(InputFiles.reason(new FileSystemException(path, null, "Read-only file system")))
        .isEqualTo("Read-only file system");
    assertThat(InputFiles.reason(new NoSuchFileException(path)))
        .isEqualTo("there is no such file or folder");
    assertThat(InputFiles.reason(new AccessDeniedException(path))).isEqualTo("permission denied");
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(temp)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }
}
