package dev.sortie.parallel.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each line of a rank has the prefix, and one that does not end takes no more memory than others.
 */
@Tag("any-kernels")
class PrefixedOutputContractTest {
  private static List<String> lines(InputStream from) throws InterruptedException {
    List<String> lines = new ArrayList<>();
    PrefixedOutput.start(
            from,
            "[1] ",
            lines::add,
            e -> {
              throw e;
            })
        .join();
    return lines;
  }

  private static List<String> lines(String text) throws InterruptedException {
    return lines(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a", "a\n", "a\nb", "a\r\nb\rc\n\n", "\r\n", "\n\r", "a\r\r\nb", "\u00e9\n"})
  void linesAreThoseOfAReader(String text) throws InterruptedException {
    List<String> expected = text.lines().map(line -> "[1] " + line).toList();
    assertThat(lines(text)).isEqualTo(expected);
  }

  @Test
  void aLineWithoutAnEndIsPassedOnInParts() throws InterruptedException {
    String part = "[1] " + "a".repeat(PrefixedOutput.LONGEST);
    assertThat(lines("a".repeat(2 * PrefixedOutput.LONGEST) + "\nb"))
        .containsExactly(part, part, "[1] b");
    long[] characters = {0};
    long size = 300L << 20;
    InputStream endless =
        new InputStream() {
          private long left = size;

          @Override
          public int read() {
            return left-- > 0 ? 'a' : -1;
          }

          @Override
          public int read(byte[] into, int from, int length) {
            int count = (int) Math.min(left, length);
            Arrays.fill(into, from, from + count, (byte) 'a');
            left -= count;
            return count == 0 ? -1 : count;
          }
        };
    PrefixedOutput.start(
            endless,
            "",
            line -> {
              assertThat(line.length()).isLessThanOrEqualTo(PrefixedOutput.LONGEST);
              characters[0] += line.length();
            },
            e -> {
              throw e;
            })
        .join();
    assertThat(characters[0]).isEqualTo(size);
  }
}
