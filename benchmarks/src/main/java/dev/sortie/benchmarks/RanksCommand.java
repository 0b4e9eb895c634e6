package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.Figure;
import dev.sortie.benchmarks.compare.KeptLines;
import dev.sortie.benchmarks.ranks.Job;
import dev.sortie.benchmarks.ranks.JobRun;
import dev.sortie.benchmarks.ranks.JobTable;
import dev.sortie.benchmarks.ranks.Layout;
import dev.sortie.eetuning.eval.Machine;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.tensor.Device;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a second rank brings. */
@Command(
    name = "ranks",
    mixinStandardHelpOptions = true,
    description = {
      "Runs tune, pretrain or generate on one rank of one thread and on two, in turns, as processes"
          + " from their start to their end, and prints tokens a second beside those of one rank."
          + " Of steps, and of texts of --prompts, the later half counts.",
      "The same command twice at once (apart) says what the machine gives two ranks at best. All"
          + " layouts but tp must make the same bits."
    })
final class RanksCommand implements Callable<Integer> {
  @Option(
      names = "--layout",
      split = ",",
      defaultValue = "one,apart,dp,pp",
      paramLabel = "WORD",
      description =
          "one: one rank; apart: two commands at once; dp, pp, tp: two ranks. Default:"
              + " ${DEFAULT-VALUE}.")
  private List<String> layouts;

  @Option(
      names = "--rounds",
      defaultValue = "3",
      paramLabel = "N",
      description = "Runs of each, whose median is taken. Default: ${DEFAULT-VALUE}.")
  private int rounds;

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
          "Begin no further run after so long; the same command goes on. Default: no limit.")
  private int seconds;

  @Option(
      names = "--name",
      paramLabel = "TEXT",
      description = "What is measured, for the table. Default: the command's first word.")
  private String name;

  @Option(
      names = "--record",
      description = "Append the result to benchmarks/results.jsonl once all runs are done.")
  private boolean record;

  @Option(names = "--json", description = "The result as one JSON object.")
  private boolean json;

  @Parameters(
      paramLabel = "COMMAND",
      description =
          "What to run, after --: tune, pretrain or generate with its options, without --threads,"
              + " --json, --dp, --pp, --tp, and without --out of training.")
  private List<String> command = List.of();

  @Override
  public Integer call() {
    long start = System.nanoTime();
    if (rounds < 1 || rounds > 100) {
      throw new InputException("--rounds " + rounds + " is outside 1 to 100");
    }
    Job job = new Job(Recorder.root().resolve("sortie"), command);
    List<Layout> wanted = layouts.stream().map(Layout::of).toList();
    KeptLines file = new KeptLines(out, String.join(" ", command));
    List<JobRun> runs = new ArrayList<>(file.read().stream().map(JobRun::read).toList());
    int missing = 0;
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < wanted.size(); i++) {
        int turn = round;
        Layout layout = wanted.get((i + round) % wanted.size()); // each round begins with another
        if (runs.stream().anyMatch(r -> r.round() == turn && r.layout() == layout)) {
          continue;
        }
        if (System.nanoTime() - start > seconds * 1_000_000_000L) {
          missing++;
          continue;
        }
        JobRun run = job.run(round, layout);
        file.append(run.json());
        runs.add(run);
        System.err.printf(
            Locale.ROOT,
            "round %d, %s: %s tokens/s%n",
            round + 1,
            layout.label(),
            Figure.text(run.rate()));
      }
    }
    if (missing > 0) {
      System.out.println(missing + " runs are missing; the same command goes on");
    } else {
      report(runs.stream().filter(r -> r.round() < rounds).toList());
    }
    return 0;
  }

  /** A word without the folder that a file lies in on this machine. */
  private static String name(String word) {
    return word.substring(word.lastIndexOf('/') + 1);
  }

  private void report(List<JobRun> runs) {
    List<Map<String, Object>> rows = JobTable.rows(runs);
    Map<String, Object> result = new LinkedHashMap<>();
    String kernels;
    try (Device device = Device.cpu(1)) {
      kernels = device.kernels().name();
    }
    Machine machine = Machine.detect(kernels);
    result.put("name", "ranks " + (name == null ? command.getFirst() : name));
    result.put("peer", "one rank of one thread in the same rounds");
    result.put("device", "%s, 1 thread a rank, %s".formatted(machine.cpu(), kernels));
    result.put(
        "command", command.stream().map(RanksCommand::name).collect(Collectors.joining(" ")));
    result.put("rounds", rounds);
    result.put("rows", rows);
    result.put(
        "geomean",
        Figure.rounded(
            Math.exp(
                rows.stream()
                    .filter(r -> !r.get("case").equals(Layout.APART.label()))
                    .mapToDouble(r -> Math.log((Double) r.get("ratio")))
                    .average()
                    .orElse(0))));
    result.put("java", machine.java());
    result.put("date", machine.date());
    if (json) {
      System.out.println(Json.compact(result));
    } else {
      rows.forEach(r -> System.out.println(JobTable.line(r)));
    }
    if (record) {
      Recorder.append(Recorder.defaultFile(), result);
    }
  }
}
