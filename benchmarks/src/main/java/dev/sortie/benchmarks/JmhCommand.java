package dev.sortie.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** The JMH benchmarks. */
@Command(
    name = "jmh",
    description = "JMH benchmarks of the kernels; all arguments go to JMH (-h lists its options).")
final class JmhCommand implements Callable<Integer> {
  @Unmatched private List<String> arguments = new ArrayList<>();

  /** What JMH gets. */
  List<String> arguments() {
    return arguments;
  }

  @Override
  public Integer call() throws Exception {
    org.openjdk.jmh.Main.main(arguments().toArray(String[]::new));
    return 0;
  }
}
