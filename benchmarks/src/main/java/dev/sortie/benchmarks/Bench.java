package dev.sortie.benchmarks;

import dev.sortie.eetuning.cli.base.CommandLines;
import java.io.IOException;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The benchmarks' command line: {@code ./sortie bench}. */
@Command(
    name = "sortie bench",
    mixinStandardHelpOptions = true,
    version = "sortie 0.1.0",
    description = "The project's benchmarks, and comparisons with peers in one run.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      CompareCommand.class,
      RowsCommand.class,
      StrategiesCommand.class,
      BatchCommand.class,
      RanksCommand.class,
      ColdCommand.class,
      LiveCommand.class,
      StoriesCommand.class,
      EdgeCommand.class,
      PaperCommand.class,
      ServeCommand.class,
      PeersCommand.class,
      ReportCommand.class,
      JmhCommand.class
    },
    footer = {"", "Any other first word goes to JMH, as after jmh: ./sortie bench gemm -f 3"})
public final class Bench implements Runnable {
  private static final Set<String> OPTIONS = Set.of("-h", "--help", "-V", "--version");

  @Spec private CommandSpec spec;

  /** For picocli. */
  public Bench() {}

  /** Runs one command and ends the JVM with its exit code. */
  public static void main(String[] args) throws IOException {
    CommandLine line = commandLine();
    if (goesToJmh(line, args)) {
      org.openjdk.jmh.Main.main(args); // ends the JVM itself if it fails
    } else {
      System.exit(CommandLines.run(line, args));
    }
  }

  /** The commands, ready to execute. */
  static CommandLine commandLine() {
    return CommandLines.of(new Bench());
  }

  /** Whether the first word is none of ours. */
  static boolean goesToJmh(CommandLine line, String... args) {
    return args.length > 0
        && !OPTIONS.contains(args[0])
        && !line.getSubcommands().containsKey(args[0]);
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "no command given");
  }
}
