package dev.sortie.parallel.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Reads the lines of a rank on a thread and passes them on. A line may have no end: a longer one is
 * passed on in pieces.
 */
final class RankOutput {
  /** Characters of a piece. */
  static final int LONGEST = 1 << 16;

  private final OptionalInt rank;
  private final boolean error;
  private final Consumer<LinePiece> to;
  private final StringBuilder text = new StringBuilder();
  private boolean begins = true;

  private RankOutput(int rank, boolean error, Consumer<LinePiece> to) {
    this.rank = OptionalInt.of(rank);
    this.error = error;
    this.to = to;
  }

  /**
   * Begins to read.
   *
   * @param error whether it is the rank's standard error
   * @param to takes each piece
   * @param failed is told why {@code to} took no more; nothing is read then
   */
  static Thread start(
      InputStream from,
      int rank,
      boolean error,
      Consumer<LinePiece> to,
      Consumer<RuntimeException> failed) {
    return Thread.ofVirtual()
        .start(
            () -> {
              try {
                new RankOutput(rank, error, to).read(from);
              } catch (RuntimeException e) {
                failed.accept(e);
              }
            });
  }

  private void read(InputStream from) {
    try (Reader reader = new InputStreamReader(from, StandardCharsets.UTF_8)) {
      char[] buffer = new char[LONGEST];
      boolean afterReturn = false;
      for (int n; (n = reader.read(buffer)) >= 0; ) {
        for (int i = 0; i < n; i++) {
          char c = buffer[i];
          if (c == '\r' || c == '\n' && !afterReturn) {
            pass(true);
          } else if (c != '\n') {
            if (text.length() == LONGEST) {
              pass(false);
            }
            text.append(c);
          }
          afterReturn = c == '\r';
        }
      }
      if (!text.isEmpty()) {
        pass(true);
      }
    } catch (IOException e) {
      text.setLength(0);
      begins = true;
      text.append("(its output ended: ").append(e.getMessage()).append(')');
      pass(true);
    }
  }

  private void pass(boolean ends) {
    to.accept(new LinePiece(rank, error, text.toString(), begins, ends));
    text.setLength(0);
    begins = ends;
  }
}
