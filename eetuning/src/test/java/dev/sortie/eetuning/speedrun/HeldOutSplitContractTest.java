package dev.sortie.eetuning.speedrun;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of a text is held out. */
@Tag("any-kernels")
class HeldOutSplitContractTest {
  @TempDir private Path temp;

  private List<String> split(String text) throws IOException {
    HeldOutSplit split =
        HeldOutSplit.write(List.of(Files.writeString(temp.resolve("text.txt"), text)), temp);
    return List.of(
        Files.readString(split.training().getFirst()), Files.readString(split.heldOut()));
  }

  @Test
  void theLastTwentiethFromTheBeginningOfALineOn() throws IOException {
    String text = "The hen sat under the tree.\n".repeat(20_000);
    List<String> parts = split(text);
    assertThat(String.join("", parts)).isEqualTo(text);
    assertThat(parts.getLast()).startsWith("The hen").hasSize(28 * 1000);
  }

  @Test
  void aLongLineIsCutWhereTheTwentiethBegins() throws IOException {
    String title = "The Hen\n";
    List<String> parts = split(title + "x".repeat(500_000 - title.length()));
    assertThat(parts.getLast()).hasSize(25_000);
    // a letter of two units, of which the first would be the last before the twentieth
    List<String> letters = split(title + "\ud83e\udd8a".repeat(250_010));
    assertThat(letters.getLast()).startsWith("\ud83e\udd8a").hasSize(25_002);
  }
}
