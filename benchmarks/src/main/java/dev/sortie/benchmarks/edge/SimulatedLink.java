package dev.sortie.benchmarks.edge;

import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.nn.UsageException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A link between two machines, the same both ways.
 *
 * @param delayMillis one way, so that a round trip takes twice as long
 * @param megabits per second
 */
public record SimulatedLink(int delayMillis, double megabits) {
  private static final Pattern WORD =
      Pattern.compile("([0-9]{1,5})x([0-9]{1,5}(?:\\.[0-9]{1,3})?)");
  private static final double LEAST = 0.001;

  public SimulatedLink {
    if (delayMillis < 0 || !(megabits >= LEAST)) {
      throw new IllegalArgumentException(delayMillis + " ms, " + megabits + " Mbit/s");
    }
  }

  /** The link that a word such as {@code 50x10} means: 50 ms and 10 Mbit/s. */
  public static SimulatedLink of(String word) {
    Matcher m = WORD.matcher(word);
    if (!m.matches() || Double.parseDouble(m.group(2)) < LEAST) {
      throw new UsageException(
          "--links '%s' is no delay in ms and rate in Mbit/s, such as 50x10".formatted(word));
    }
    return new SimulatedLink(Integer.parseInt(m.group(1)), Double.parseDouble(m.group(2)));
  }

  /** As people read it. */
  public String name() {
    return "%d ms, %s Mbit/s".formatted(delayMillis, Figure.text(megabits));
  }

  /** Nanoseconds that a bit needs from end to end. */
  long delayNanos() {
    return delayMillis * 1_000_000L;
  }

  /** Nanoseconds that bytes take to enter the link. */
  long nanos(int bytes) {
    return Math.round(bytes * 8 * 1e3 / megabits);
  }
}
