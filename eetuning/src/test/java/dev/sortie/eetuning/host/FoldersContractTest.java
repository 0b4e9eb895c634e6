package dev.sortie.eetuning.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders that are deleted. */
class FoldersContractTest {
  @TempDir private Path temp;

  @Test
  void aFolderIsDeletedWithAllThatIsInItAndNothingElse() throws IOException {
    Path folder = Files.createDirectories(temp.resolve("features").resolve("key"));
    Path other = Files.writeString(temp.resolve("kept"), "kept");
    Files.writeString(folder.resolve("12.hidden"), "rows");
    Files.createSymbolicLink(folder.resolve("link"), other);

    Folders.delete(temp.resolve("features"));
    Folders.delete(temp.resolve("never there"));

    assertThat(temp).isDirectoryContaining(p -> p.equals(other));
    assertThat(temp.resolve("features")).doesNotExist();
  }
}
