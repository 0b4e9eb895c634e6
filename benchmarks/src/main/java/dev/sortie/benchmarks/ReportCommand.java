package dev.sortie.benchmarks;

import dev.sortie.benchmarks.report.MarkdownPage;
import dev.sortie.benchmarks.report.Recorded;
import dev.sortie.benchmarks.report.ResultsPage;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Plots recorded results. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = "Plots recorded comparisons, as one HTML page or as a page of the documentation.")
final class ReportCommand implements Callable<Integer> {
  @Option(
      names = "--results",
      paramLabel = "FILE",
      description = "What compare --record wrote; benchmarks/results.jsonl by default.")
  private Path results;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      defaultValue = "benchmarks.html",
      description = "The page. Default: ${DEFAULT-VALUE}.")
  private Path out;

  @Option(
      names = "--markdown",
      paramLabel = "DIR",
      description = "Write DIR/recorded.md and its pictures in DIR/recorded instead.")
  private Path markdown;

  @Option(names = "--json", description = "The page and the number of results, as one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    Path file = results == null ? Recorder.defaultFile() : results;
    List<Recorded> all = Recorded.read(file);
    if (all.isEmpty()) {
      throw new InputException(
          file + " holds no result; record some with ./sortie bench compare NAME --record");
    }
    Path page = markdown == null ? out : MarkdownPage.write(all, markdown);
    if (markdown == null) {
      AtomicFiles.write(out, ResultsPage.of(all).getBytes(StandardCharsets.UTF_8));
    }
    System.out.println(
        json
            ? Json.compact(Json.object("out", page.toString(), "results", all.size()))
            : page.toString());
    return 0;
  }
}
