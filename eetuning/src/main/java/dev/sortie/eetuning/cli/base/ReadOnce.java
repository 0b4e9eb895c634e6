package dev.sortie.eetuning.cli.base;

import dev.sortie.nn.file.NamedInput;
import dev.sortie.parallel.launch.RankEnvironment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * The converter of options that name text or JSON to be read, which may be a file, a pipe or {@code
 * -} for standard input ({@link NamedInput}). What is not a file gives its text once, so a command
 * line that would read it twice is refused before anything begins.
 */
public final class ReadOnce implements ITypeConverter<Path> {
  /** For the help of such options. */
  public static final String HELP = " Pipes are accepted; - reads standard input.";

  /** For picocli. */
  public ReadOnce() {}

  @Override
  public Path convert(String word) {
    return Path.of(word);
  }

  /** A command that reads standard input without being asked to. */
  public interface StandardInputUser {
    /** What it reads there, for messages. */
    String standardInput();
  }

  /** Refuses a command line of which two parts, or several ranks, read the same pipe. */
  static void check(ParseResult parsed, Map<String, String> environment) {
    for (ParseResult p = parsed; p != null; p = p.subcommand()) {
      CommandLine command = p.commandSpec().commandLine();
      List<String> readers = new ArrayList<>();
      if (p.commandSpec().userObject() instanceof StandardInputUser user) {
        readers.add(user.standardInput());
      }
      for (OptionSpec option : p.matchedOptions()) {
        for (Path named : inputs(option)) {
          if (NamedInput.isStandard(named)) {
            readers.add(option.longestName());
          }
          requireFile(command, option, named, environment);
        }
      }
      if (readers.size() > 1) {
        throw new ParameterException(
            command,
            "standard input can be read once, but both %s and %s read it; name a file instead of -"
                .formatted(readers.get(0), readers.get(1)));
      }
    }
  }

  /** Each rank of a job reads for itself, and has nothing on its standard input. */
  private static void requireFile(
      CommandLine command, OptionSpec option, Path named, Map<String, String> environment) {
    boolean pipe = !NamedInput.isRegular(named) && !Files.isDirectory(named);
    boolean there = NamedInput.isStandard(named) || Files.exists(named);
    if (pipe && there && RankEnvironment.isLaunched(environment)) {
      throw new ParameterException(
          command,
          "%s %s: several ranks cannot read one pipe; name a file"
              .formatted(option.longestName(), named));
    }
  }

  private static List<Path> inputs(OptionSpec option) {
    boolean read = false;
    for (ITypeConverter<?> c : option.converters()) {
      read |= c instanceof ReadOnce;
    }
    if (!read || option.getValue() == null) {
      return List.of();
    }
    return option.getValue() instanceof Collection<?> all
        ? all.stream().map(Path.class::cast).toList()
        : List.of((Path) option.getValue());
  }
}
