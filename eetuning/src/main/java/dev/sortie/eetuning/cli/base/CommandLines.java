package dev.sortie.eetuning.cli.base;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.parallel.comm.CommException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;

/**
 * What all of Sortie's command lines share: exit codes (0 done, 1 the work failed, 2 wrong usage)
 * and one line for each mistake of the user.
 */
public final class CommandLines {
  /** Of what libraries log on standard error: level and message, on one line. */
  private static final String LOG_LINE = "%4$s: %5$s%n";

  private static final int FAILED = 1;
  private static final int USAGE = 2;

  private CommandLines() {}

  /**
   * The command line of {@code root} and its subcommands, ready to execute.
   *
   * @param commands classes of subcommands that its annotation does not list
   */
  public static CommandLine of(Object root, Class<?>... commands) {
    CommandLine line = new CommandLine(root);
    for (Class<?> command : commands) { // first: a setting reaches the subcommands that are there
      line.addSubcommand(command);
    }
    version(line, line.getCommandSpec().version());
    line.registerConverter(Path.class, CommandLines::path);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setUsageHelpAutoWidth(true);
    line.setExpandAtFiles(false); // a value that begins with @ is no file to read options from
    line.setExecutionExceptionHandler((e, cmd, parsed) -> report(e, line));
    line.setExecutionStrategy(
        parsed -> {
          ReadOnce.check(parsed, System.getenv());
          try {
            return new CommandLine.RunLast().execute(parsed);
          } catch (Error | StandardOutput.LostException e) {
            // picocli hands on exceptions of commands alone, and prints help outside of them
            return report(e, line);
          }
        });
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

  /** Each subcommand has an option for it. */
  private static void version(CommandLine line, String... version) {
    line.getCommandSpec().version(version);
    line.getSubcommands().values().forEach(each -> version(each, version));
  }

  /** An empty path is the current folder to Java, and a variable without a value to its user. */
  private static Path path(String word) {
    if (word.isBlank()) {
      throw new TypeConversionException("the path is empty");
    }
    return Path.of(word);
  }

  /**
   * Executes a command of a process of its own. It is done when all that it printed is written.
   *
   * @return the exit code
   */
  public static int run(CommandLine line, String... args) {
    System.setProperty("java.util.logging.SimpleFormatter.format", LOG_LINE);
    PrintStream out = StandardOutput.install();
    Thread.setDefaultUncaughtExceptionHandler((_, e) -> report(e, line));
    int code = line.execute(args);
    if (code != 0) {
      return code;
    }
    try {
      out.close(); // some file systems tell only now that there was no room
      return code;
    } catch (StandardOutput.LostException e) {
      return report(e, line);
    }
  }

  /** The command that runs, as it was given, for reports. */
  public static String given(CommandSpec command) {
    return "./sortie " + String.join(" ", command.commandLine().getParseResult().originalArgs());
  }

  /**
   * Prints one line for what the user can fix, and for defects of ours, whose trace is in a file.
   *
   * @return the exit code
   */
  private static int report(Throwable e, CommandLine line) {
    PrintWriter err = line.getErr();
    switch (e) {
      case InputException bad -> err.println("sortie: " + oneLine(bad.getMessage()));
      case CommException lost -> err.println("sortie: " + oneLine(lost.getMessage()));
      case StandardOutput.LostException lost -> err.println("sortie: " + lost.getMessage());
      case UncheckedIOException io ->
          err.println(
              "sortie: " + oneLine(io.getMessage() + ": " + io.getCause()) + "; check the disk");
      case OutOfMemoryError out -> err.println("sortie: " + oneLine(OutOfMemory.line(out)));
      case InternalError fault when isMappingFault(fault) ->
          err.println(
              "sortie: a file that was mapped into memory was cut short while it was in use, or its disk failed; leave the files of models and data alone while Sortie runs, check them, and start again");
      default -> err.println("sortie: internal error: " + oneLine(e.toString()) + defect(e, line));
    }
    err.flush();
    return e instanceof UsageException ? USAGE : FAILED;
  }

  /** Where the report of a defect is; the report itself where no file can be written. */
  private static String defect(Throwable e, CommandLine line) {
    ParseResult parsed = line.getParseResult();
    List<String> words = parsed == null ? List.of() : parsed.originalArgs();
    String version = String.join(" ", line.getCommandSpec().version());
    return FailureReport.write(version, words, e)
        .map(file -> "; please report it with the file " + file)
        .orElseGet(
            () -> "; please report it with what follows\n" + FailureReport.text(version, words, e));
  }

  /** The JVM's error for memory that has no file behind it any more; its only mark is the text. */
  private static boolean isMappingFault(InternalError e) {
    return String.valueOf(e.getMessage()).contains("unsafe memory access");
  }

  private static String oneLine(String message) {
    return String.valueOf(message).replaceAll("\\s*[\\r\\n]+\\s*", " ");
  }
}
