package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.Interrupt;
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
      "Each gets RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT and a"
          + " secret, SORTIE_JOB_TOKEN; after a restart SORTIE_RESTART_COUNT is above 0. Lines of"
          + " output have their rank in front. Ranks have no standard input. When one rank ends badly all are ended, and its exit"
          + " code is returned. When this command is killed its ranks end."
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
          "How often to start all ranks again after one ended badly: after 1 s, then 2 s and so on"
              + " up to a minute. Default: ${DEFAULT-VALUE}.")
  private int maxRestarts;

  @Option(
      names = "--grace",
      defaultValue = "10",
      paramLabel = "SECONDS",
      description =
          "How long the other ranks may go on after one ended badly, and after they were asked to"
              + " end, as Ctrl-C does; then they are killed. Default: ${DEFAULT-VALUE}.")
  private int grace;

  @Option(
      names = "--json",
      description =
          "One JSON object on standard output: the exit code, and what each rank printed last on its"
              + " standard output, where that is a JSON object. All lines of ranks go to standard"
              + " error.")
  private boolean json;

  @Parameters(paramLabel = "COMMAND", description = "The program and its arguments, after --.")
  private List<String> command = List.of();

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    JobResult result = new JobResult(line -> print(err, line));
    Launcher launcher =
        new Launcher(
            new Launcher.Options(
                ranks,
                command,
                maxRestarts,
                Launcher.Options.USUAL_PAUSE,
                Duration.ofSeconds(grace)),
            json ? result : line -> print(out, line),
            line -> print(err, line));
    Interrupt interrupt = new Interrupt(launcher::end);
    try {
      int code = launcher.run();
      if (json) {
        print(out, Json.compact(result.json(ranks, code)));
      }
      return code;
    } finally {
      interrupt.close();
    }
  }

  private static void print(PrintWriter to, String line) {
    synchronized (to) {
      to.println(line);
      to.flush();
    }
  }
}
