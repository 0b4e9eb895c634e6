package dev.sortie.benchmarks;

import dev.sortie.benchmarks.paper.Experiment;
import dev.sortie.benchmarks.paper.PaperResults;
import dev.sortie.benchmarks.paper.Run;
import dev.sortie.benchmarks.paper.RunFolder;
import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.json.Json;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The paper's questions. */
@Command(
    name = "paper",
    mixinStandardHelpOptions = true,
    description = {
      "Asks the questions of the EE-Tuning paper again, on the embedded model: runs the commands of"
          + " docs/results.md and writes this page from their output.",
      "Takes about half an hour on two cores. What each command printed is kept: the same"
          + " command resumes."
    })
final class PaperCommand implements Callable<Integer> {
  @Mixin private ComputeMixin compute;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "paper",
      description = "Folder of the runs and of the page. Default: ${DEFAULT-VALUE}.")
  private Path out;

  @Option(
      names = "--no-speed",
      description =
          "Leave out what is measured, as on a machine with other work. Recorded figures of speed"
              + " are kept.")
  private boolean noSpeed;

  @Option(
      names = "--record",
      description =
          "Also write the figures to benchmarks/paper.jsonl and benchmarks/paper-measured.jsonl and"
              + " the page to docs/results.md, once all runs are done.")
  private boolean record;

  @Option(names = "--json", description = "The page and the number of runs, as one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    RunFolder folder =
        new RunFolder(
            Recorder.root(), out.toAbsolutePath(), compute.threads(), compute.device(), machine());
    List<Run> runs =
        Arrays.stream(Experiment.values())
            .filter(e -> !(noSpeed && e.isMeasured()))
            .flatMap(Experiment::runs)
            .toList();
    for (int i = 0; i < runs.size(); i++) {
      Run run = runs.get(i);
      if (!folder.isDone(run)) {
        System.err.printf(Locale.ROOT, "%d of %d: %s%n", i + 1, runs.size(), run.line());
        folder.run(run);
      }
    }
    PaperResults results = new PaperResults(folder);
    Path page = results.write(out, out, !noSpeed);
    if (record) {
      page = results.write(Recorder.root().resolve("benchmarks"), docs(), !noSpeed);
    }
    System.out.println(
        json
            ? Json.compact(Json.object("out", page.toString(), "runs", runs.size()))
            : page.toString());
    return 0;
  }

  private static Path docs() {
    return Recorder.root().resolve("docs");
  }

  private String machine() {
    try (Device device = compute.open()) {
      Machine m = Machine.detect(device.kernels().name());
      return "%s, %d threads, %s, %s".formatted(m.cpu(), compute.threads(), m.kernels(), m.java());
    }
  }
}
