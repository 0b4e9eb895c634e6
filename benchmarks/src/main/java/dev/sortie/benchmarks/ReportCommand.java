package dev.sortie.benchmarks;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Plots recorded results. */
@Command(name = "report", mixinStandardHelpOptions = true, description = "x")
final class ReportCommand implements Callable<Integer> {
  @Override
  public Integer call() {
    return 0;
  }
}
