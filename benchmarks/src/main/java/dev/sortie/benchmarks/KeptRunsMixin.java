package dev.sortie.benchmarks;

import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Option;

/** Options of long benchmarks, of which each run is kept: the same command resumes. */
final class KeptRunsMixin {
  private final long start = System.nanoTime();

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "Where runs are kept, a line each; those that it has are not run again.")
  private Path out;

  @Option(
      names = "--seconds",
      paramLabel = "N",
      defaultValue = "1000000",
      description =
          "Begin no further run after this many seconds; the same command resumes. Default: ${DEFAULT-VALUE}.")
  private int seconds;

  @Option(
      names = "--record",
      description = "Append the result to benchmarks/results.jsonl once all runs are done.")
  private boolean record;

  /** Where they are kept. */
  Path file() {
    return out;
  }

  /** Whether no further run shall begin. */
  boolean isTimeUp() {
    return System.nanoTime() - start > seconds * 1_000_000_000L;
  }

  /** Records the result of all runs, if that is wanted. */
  void record(Map<String, Object> result) {
    if (record) {
      Recorder.append(Recorder.defaultFile(), result);
    }
  }
}
