package dev.sortie.nn.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.Cost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts are read whole or in parts, strictly, and none takes more memory than it may. */
@Tag("any-kernels")
class TextFilesContractTest {
  @TempDir private Path temp;

  private Path file(byte[] bytes) throws IOException {
    return Files.write(temp.resolve("text.txt"), bytes);
  }

  private static String joined(Path file) {
    StringBuilder all = new StringBuilder();
    TextFiles.parts(
        file,
        part -> {
          assertThat(part).isNotEmpty();
          assertThat(Character.isHighSurrogate(part.charAt(part.length() - 1))).isFalse();
          all.append(part);
        });
    return all.toString();
  }

  @Test
  void partsJoinedAreTheText() throws IOException {
    for (int shift = 0; shift < 5; shift++) {
      String text = "x".repeat(65_530 + shift) + "\u00e9\uD83D\uDE00\u597D".repeat(40_000);
      Path file = file(text.getBytes(StandardCharsets.UTF_8));
      assertThat(joined(file)).isEqualTo(text);
      assertThat(TextFiles.read(file)).isEqualTo(text);
    }
  }

  @Test
  void aByteThatIsNoTextIsNamedWithItsPlace() throws IOException {
    byte[] bytes = "x".repeat(100_000).getBytes(StandardCharsets.UTF_8);
    bytes[70_001] = (byte) 0xC3;
    Path damaged = file(bytes);
    assertThatThrownBy(() -> joined(damaged))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(": byte 0xC3 at offset 70001 is not UTF-8");
    Path cut = file(new byte[] {'a', (byte) 0xF0, (byte) 0x9F});
    assertThatThrownBy(() -> joined(cut))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(": byte 0xF0 at offset 1 is not UTF-8");
    assertThatThrownBy(() -> joined(file(new byte[0])))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is empty");
  }

  @Test
  void aPromptWithoutAnEndIsRefusedInLittleMemory() {
    Path endless = Path.of("/dev/zero");
    assumeTrue(Files.exists(endless), "this system has no /dev/zero");
    Cost.assertSmall(
        () ->
            assertThatThrownBy(() -> TextFiles.readAny(endless))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("/dev/zero: has at least ")
                .hasMessageContaining("bytes, at most 67108864 are allowed"));
  }
}
