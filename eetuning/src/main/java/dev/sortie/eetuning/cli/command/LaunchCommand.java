package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.cli.view.JobPrinter;
import dev.sortie.eetuning.cli.view.JobResult;
import dev.sortie.nn.json.Json;
import dev.sortie.parallel.launch.Launcher;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Starts a command once for each rank. */
@Command(
    name = "launch",
    mixinStandardHelpOptions = true,
    description = {
      "Runs a command as several ranks on this machine.",
      "Each rank is given RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, "
          + "MASTER_ADDR, MASTER_PORT and a secret, SORTIE_JOB_TOKEN; "
          + "SORTIE_RESTART_COUNT counts restarts. Output lines are prefixed with "
          + "the rank. Ranks have no standard input. If a rank fails, all ranks are "
          + "stopped and its exit code is returned. If this command is killed, its "
          + "ranks exit."
    })
public final class LaunchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--nproc", required = true, paramLabel = "N", description = "Number of ranks.")
  private int ranks;

  @Option(
      names = "--max-restarts",
      defaultValue = "0",
      paramLabel = "N",
      description =
          "How many times to restart all ranks after a failure, waiting 1 s, then "
              + "2 s and so on up to one minute. Default: ${DEFAULT-VALUE}.")
  private int maxRestarts;

  @Option(
      names = "--grace",
      defaultValue = "10",
      paramLabel = "SECONDS",
      description =
          "How long the other ranks may keep running after a failure, and again "
              + "after they are asked to stop (as by Ctrl-C), before they are killed. "
              + "Default: ${DEFAULT-VALUE}.")
  private int grace;

  @Option(
      names = "--json",
      description =
          "Print one JSON object to standard output: the exit code and, for each "
              + "rank, the last line of its standard output if that is a JSON object. "
              + "All output of the ranks goes to standard error.")
  private boolean json;

  @Parameters(paramLabel = "COMMAND", description = "The command to run, after --.")
  private List<String> command = List.of();

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    JobPrinter errors = new JobPrinter(spec.commandLine().getErr());
    JobResult result = new JobResult(errors);
    Launcher launcher =
        new Launcher(
            new Launcher.Options(
                ranks,
                command,
                maxRestarts,
                Launcher.Options.USUAL_PAUSE,
                Duration.ofSeconds(grace)),
            json ? result : new JobPrinter(out),
            errors);
    Interrupt interrupt = new Interrupt(launcher::end);
    try {
      int code = launcher.run();
      if (json) {
        out.println(Json.compact(result.json(ranks, code)));
        out.flush();
      }
      return code;
    } finally {
      interrupt.close();
    }
  }
}
