package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.sample.SampleRun;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Shows on standard error how far the sampling of texts is, and what came of it. */
public final class SampleView implements SampleRun.Listener, AutoCloseable {
  /** Over which speed is measured. */
  private static final double SECONDS = 20;

  private final long tokens;
  private ProgressLine progress;
  private long before;
  private long chosen;
  private long since = System.nanoTime();
  private double rate = Double.NaN;

  /** {@code tokens} are wanted. */
  public SampleView(long tokens) {
    this.tokens = tokens;
  }

  @Override
  public void resumed(int shards, long kept) {
    before = kept;
    System.err.printf(
        Locale.ROOT, "sample: resumes after %d shards with %,d tokens%n", shards, kept);
  }

  /** The time left is that of the tokens that were not there when the run began. */
  @Override
  public void step(long kept, int texts, int passed, long more) {
    if (progress == null) {
      progress = ProgressLine.start("sample", Math.max(1, tokens - before), System.err);
      since = System.nanoTime();
    }
    chosen += more;
    double seconds = (System.nanoTime() - since) * 1e-9;
    if (seconds >= SECONDS) {
      rate = chosen / seconds;
      chosen = 0;
      since = System.nanoTime();
    }
    progress.step(
        Math.min(kept, tokens) - before,
        String.format(
            Locale.ROOT,
            "%d of %d texts kept%s",
            passed,
            texts,
            Double.isNaN(rate) ? "" : String.format(Locale.ROOT, ", %.0f tok/s sampled", rate)));
  }

  /** What a manifest says, for people. */
  public static List<String> lines(Map<String, Object> manifest) {
    List<String> lines = new ArrayList<>();
    for (String field : List.of("sampled", "kept", "refused")) {
      lines.add(field + " " + words((Map<?, ?>) manifest.get(field)));
    }
    ((Map<?, ?>) manifest.get("files"))
        .forEach((name, file) -> lines.add(name + " " + words((Map<?, ?>) file)));
    return lines;
  }

  private static String words(Map<?, ?> object) {
    List<String> words = new ArrayList<>();
    object.forEach((name, value) -> words.add(name + " " + value));
    return words.isEmpty() ? "nothing" : String.join(", ", words);
  }

  @Override
  public void close() {
    if (progress != null) {
      progress.close();
    }
  }
}
