package dev.sortie.parallel.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each line of a rank is passed on, and one that does not end takes no more memory than others. */
@Tag("any-kernels")
class RankOutputContractTest {
  private static void read(InputStream from, Consumer<LinePiece> to) throws InterruptedException {
    RankOutput.start(
            from,
            1,
            false,
            to,
            e -> {
              throw e;
            })
        .join();
  }

  private static List<LinePiece> pieces(String text) throws InterruptedException {
    List<LinePiece> pieces = new ArrayList<>();
    read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), pieces::add);
    return pieces;
  }

  private static LinePiece piece(String text, boolean begins, boolean ends) {
    return new LinePiece(OptionalInt.of(1), false, text, begins, ends);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a", "a\n", "a\nb", "a\r\nb\rc\n\n", "\r\n", "\n\r", "a\r\r\nb", "\u00e9\n"})
  void linesAreThoseOfAReader(String text) throws InterruptedException {
    assertThat(pieces(text))
        .isEqualTo(text.lines().map(line -> piece(line, true, true)).toList())
        .allMatch(piece -> piece.toString().equals("[1] " + piece.text()));
  }

  @Test
  void aLongLineIsPassedOnInPiecesThatSayWhetherItBeginsAndEnds() throws InterruptedException {
    String part = "a".repeat(RankOutput.LONGEST);
    assertThat(pieces(part + part + "\nb"))
        .containsExactly(
            piece(part, true, false), piece(part, false, true), piece("b", true, true));
    assertThat(pieces(part + "b\r\n" + part))
        .containsExactly(
            piece(part, true, false), piece("b", false, true), piece(part, true, true));
  }

  @Test
  void aLineWithoutAnEndTakesLittleMemory() throws InterruptedException {
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
    read(
        endless,
        piece -> {
          assertThat(piece.text().length()).isLessThanOrEqualTo(RankOutput.LONGEST);
          characters[0] += piece.text().length();
        });
    assertThat(characters[0]).isEqualTo(size);
  }
}
