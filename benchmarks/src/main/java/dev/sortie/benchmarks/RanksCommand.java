package dev.sortie.benchmarks;

import dev.sortie.benchmarks.compare.KeptLines;
import dev.sortie.benchmarks.compare.OwnResult;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.ranks.Job;
import dev.sortie.benchmarks.ranks.JobRun;
import dev.sortie.benchmarks.ranks.JobTable;
import dev.sortie.benchmarks.ranks.Layout;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.json.Json;
import dev.sortie.tensor.device.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What a second rank brings. */
@Command(
    name = "ranks",
    mixinStandardHelpOptions = true,
    description = {
      "Runs tune, pretrain or generate on one rank of one thread and on two, in turns, as processes"
          + " from their start to their end, and prints tokens per second next to those of one rank."
          + " Of steps, and of texts of --prompts, the later half counts.",
      "The same command twice at once (apart) says what the machine gives two ranks at best. All"
          + " layouts but tp must make the same bits."
    })
final class RanksCommand implements Callable<Integer> {
  @Mixin private KeptRunsMixin kept;

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
      names = "--name",
      paramLabel = "TEXT",
      description = "What is measured, for the table. Default: the command's first word.")
  private String name;

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
    Ranges.check("--rounds", rounds, 1, 100);
    Job job = new Job(Recorder.root().resolve("sortie"), command);
    List<Layout> wanted = layouts.stream().map(Layout::of).toList();
    KeptLines file = new KeptLines(kept.file(), String.join(" ", command));
    List<JobRun> runs = new ArrayList<>(file.read().stream().map(JobRun::read).toList());
    int missing = 0;
    for (int round = 0; round < rounds; round++) {
      for (int i = 0; i < wanted.size(); i++) {
        int turn = round;
        Layout layout = wanted.get((i + round) % wanted.size()); // each round begins with another
        if (runs.stream().anyMatch(r -> r.round() == turn && r.layout() == layout)) {
          continue;
        }
        if (kept.isTimeUp()) {
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
      System.out.println(missing + " runs are missing; the same command resumes");
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
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put(
        "command", command.stream().map(RanksCommand::name).collect(Collectors.joining(" ")));
    settings.put("rounds", rounds);
    Map<String, Object> result =
        new OwnResult(
                "ranks " + (name == null ? command.getFirst() : name),
                "one rank of one thread in the same rounds",
                machine(),
                "1 thread a rank",
                settings,
                rows,
                rows.stream()
                    .filter(r -> !r.get("case").equals(Layout.APART.label()))
                    .map(r -> (Double) r.get("ratio"))
                    .toList())
            .describe();
    if (json) {
      System.out.println(Json.compact(result));
    } else {
      rows.forEach(r -> System.out.println(JobTable.line(r)));
    }
    kept.record(result);
  }

  private static Machine machine() {
    try (Device device = Device.cpu(1)) {
      return Machine.detect(device.kernels().name());
    }
  }
}
