package dev.sortie.eetuning.cli;

import dev.sortie.nn.InputException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage. */
@Command(
    name = "sortie",
    mixinStandardHelpOptions = true,
    version = "sortie 0.1.0",
    description =
        "A pure-Java tensor engine, EE-Tuning trainer and early-exit decoder for large language models.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      DoctorCommand.class,
      PretrainCommand.class,
      AddExitsCommand.class,
      TuneCommand.class,
      MergeExitsCommand.class,
      DropExitsCommand.class,
      GenerateCommand.class,
      ScoreCommand.class,
      TokenizeCommand.class,
      ConvertCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "A model is a Hugging Face folder, a .gguf file, or the word fable (the embedded model).",
      "./sortie test runs all tests."
    })
public final class Main implements Runnable {
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  @Spec private CommandSpec spec;

  /** For picocli. */
  public Main() {}

  /** Runs one command and ends the JVM with its exit code. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  /** The commands, ready to execute. */
  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Main());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpAutoWidth(true);
    line.setExecutionExceptionHandler((e, cmd, result) -> report(e, cmd.getErr()));
    line.setParameterExceptionHandler(
        (e, args) -> {
          CommandLine cmd = e.getCommandLine();
          cmd.getErr()
              .println(
                  "sortie: "
                      + oneLine(e.getMessage())
                      + "; see "
                      + cmd.getCommandSpec().qualifiedName(" ")
                      + " --help");
          return USAGE;
        });
    return line;
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "no command given");
  }

  /** One line for what the user can mend; the whole trace only for defects of ours. */
  private static int report(Throwable e, PrintWriter err) {
    switch (e) {
      case InputException bad -> err.println("sortie: " + oneLine(bad.getMessage()));
      case UncheckedIOException io ->
          err.println(
              "sortie: " + oneLine(io.getMessage() + ": " + io.getCause()) + "; check the disk");
      case OutOfMemoryError out ->
          err.println(
              "sortie: out of memory: "
                  + oneLine(out.getMessage())
                  + "; close other programs, or take a smaller batch or model");
      default -> {
        err.println("sortie: internal error, please report it with what follows");
        e.printStackTrace(err);
      }
    }
    err.flush();
    return FAILED;
  }

  private static String oneLine(String message) {
    return String.valueOf(message).replaceAll("\\s*[\\r\\n]+\\s*", " ");
  }
}
