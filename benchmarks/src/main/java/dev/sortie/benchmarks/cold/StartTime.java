package dev.sortie.benchmarks.cold;

import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.function.DoubleSupplier;

/**
 * What one run of a process showed, in seconds from its start.
 *
 * @param firstToken until the first generated token could be read
 * @param exit until the process had ended
 */
record StartTime(double firstToken, double exit) {
  private static final int BUFFER = 8192;

  /**
   * Watches a process to its end.
   *
   * @param prompt what it writes before the first token; may be empty
   * @throws InputException if it fails, writes another prompt, or generates nothing
   */
  static StartTime watch(CommandProcess process, String prompt) {
    try (InputStream out = process.output()) {
      OptionalDouble first =
          firstToken(out, prompt.getBytes(StandardCharsets.UTF_8), process::seconds);
      out.transferTo(OutputStream.nullOutputStream());
      double exit = process.end();
      if (first.isEmpty()) {
        throw new InputException("the command wrote no token after the prompt");
      }
      return new StartTime(first.getAsDouble(), exit);
    } catch (IOException e) {
      throw new UncheckedIOException("what the command printed cannot be read", e);
    }
  }

  /**
   * When the first byte after the prompt came; empty if the stream ended before.
   *
   * @param out a stream whose reads return what is there
   * @param prompt the bytes with which it begins
   * @param clock read after each piece that arrives
   * @throws InputException if it begins with other bytes
   */
  static OptionalDouble firstToken(InputStream out, byte[] prompt, DoubleSupplier clock)
      throws IOException {
    byte[] piece = new byte[BUFFER];
    int seen = 0;
    for (int n = out.read(piece); n >= 0; n = out.read(piece)) {
      double now = clock.getAsDouble();
      int ofPrompt = Math.min(n, prompt.length - seen);
      if (!Arrays.equals(piece, 0, ofPrompt, prompt, seen, seen + ofPrompt)) {
        throw new InputException("the command's output does not begin with the prompt");
      }
      seen += ofPrompt;
      if (n > ofPrompt) {
        return OptionalDouble.of(now);
      }
    }
    return OptionalDouble.empty();
  }
}
