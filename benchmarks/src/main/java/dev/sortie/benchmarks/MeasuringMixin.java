package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.Settings;
import dev.sortie.benchmarks.peer.Peers;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of all commands that hold Sortie against a peer. */
final class MeasuringMixin {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--case",
      paramLabel = "REGEX",
      defaultValue = "",
      description = "Only cases in whose name this is found.")
  private String cases;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Samples of each side and case. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--record",
      arity = "0..1",
      paramLabel = "FILE",
      fallbackValue = "",
      description = "Appends the result to FILE; benchmarks/results.jsonl if none is given.")
  private String record;

  /** What is asked for, with so many threads. */
  Settings settings(int threads) {
    Ranges.check("--rounds", rounds, 1, 1000);
    return new Settings(
        threads, pattern(), rounds, Peers.find(System.getenv()), System.err::println);
  }

  /** Records a result, if that is wanted. */
  void record(Map<String, Object> result) {
    if (record != null) {
      Recorder.append(record.isEmpty() ? Recorder.defaultFile() : Path.of(record), result);
    }
  }

  private Pattern pattern() {
    try {
      return Pattern.compile(cases);
    } catch (PatternSyntaxException e) {
      throw new ParameterException(
          spec.commandLine(),
          "--case '" + cases + "' is no regular expression: " + e.getMessage(),
          e);
    }
  }
}
