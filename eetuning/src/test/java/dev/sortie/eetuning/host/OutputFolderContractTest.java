package dev.sortie.eetuning.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    assertThat(out).isEmptyDirectory();
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
