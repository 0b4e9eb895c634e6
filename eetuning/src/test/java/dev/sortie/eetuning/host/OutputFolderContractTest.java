package dev.sortie.eetuning.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TestJvm;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** One at a time writes to a folder of results. */
class OutputFolderContractTest {
  @TempDir private Path temp;

  @Test
  void theHolderIsNamedAndTheNextOneGetsInWhenItIsGone() {
    Path out = temp.resolve("a/b");
    try (OutputFolder first = new OutputFolder(out);
        OutputFolder second = new OutputFolder(out)) {
      first.open();
      assertThat(out).isDirectory();
      assertThatThrownBy(second::open)
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith(out + ": process " + ProcessHandle.current().pid() + " on ")
          .hasMessageContaining("another --out");
    }
    try (OutputFolder third = new OutputFolder(out)) {
      third.open();
    }
    assertThat(out).as("a new folder without results").doesNotExist();
  }

  /** A process of its own that opens the folder that it is given, and says what came of it. */
  static final class Opening {
    private Opening() {}

    /** 0 if it was free, 1 if not. */
    public static void main(String[] arguments) {
      try (OutputFolder folder = new OutputFolder(Path.of(arguments[0]))) {
        folder.open();
      } catch (InputException e) {
        System.out.print(e.getMessage());
        System.exit(1);
      }
    }

    static Process start(Path folder) throws IOException {
      return new ProcessBuilder(TestJvm.command(Opening.class, folder.toString()))
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    }

    static Map.Entry<Integer, String> end(Process process) throws Exception {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return Map.entry(process.waitFor(), said);
    }

    static Map.Entry<Integer, String> run(Path folder) throws Exception {
      return end(start(folder));
    }
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "links need a privilege there")
  void whoIsRefusedHereTakesTheLockFromNobody() throws Exception {
    Path out = temp.resolve("out");
    Path other = Files.createSymbolicLink(temp.resolve("other"), Path.of("out"));
    try (OutputFolder first = new OutputFolder(out)) {
      first.open();
      for (Path name : List.of(out, other)) {
        try (OutputFolder second = new OutputFolder(name)) {
          assertThatThrownBy(second::open).isInstanceOf(InputException.class);
        }
      }
      assertThat(Opening.run(out))
          .satisfies(
              ended -> {
                assertThat(ended.getKey()).isEqualTo(1);
                assertThat(ended.getValue())
                    .contains("process %d on ".formatted(ProcessHandle.current().pid()), "since ");
              });
    }
    assertThat(Opening.run(out)).isEqualTo(Map.entry(0, ""));
  }

  /** Its name is written after the lock is there: who comes between waits for it. */
  @Test
  void aHolderThatHasNotWrittenItsNameYetIsNamedAllTheSame() throws Exception {
    Path file = temp.resolve(".lock");
    try (FileChannel first =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      assertThat(first.tryLock(1 << 20, 1, false)).isNotNull();
      Process process = Opening.start(temp);
      Thread.sleep(1000);
      assertThat(process.isAlive()).as("waits for the name").isTrue();
      first.write(ByteBuffer.wrap("process 7 on hen".getBytes(StandardCharsets.UTF_8)));
      assertThat(Opening.end(process))
          .isEqualTo(
              Map.entry(
                  1,
                  temp
                      + ": process 7 on hen writes here; wait for its end, or give another --out"));
    }
  }

  @Test
  void nothingIsTouchedBeforeItIsOpened() {
    new OutputFolder(temp.resolve("out")).close();
    assertThat(temp.resolve("out")).doesNotExist();
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "links need a privilege there")
  void aLinkIsNoLock() throws IOException {
    Path user = Files.writeString(temp.resolve("user.txt"), "mine");
    Files.createSymbolicLink(temp.resolve(".lock"), user);
    try (OutputFolder folder = new OutputFolder(temp)) {
      assertThatThrownBy(folder::open)
          .isInstanceOf(InputException.class)
          .hasMessageContaining(".lock: cannot be locked");
    }
    assertThat(user).hasContent("mine");
  }
}
