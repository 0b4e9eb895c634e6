package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.CommandLines;
import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.AuditMixin;
import dev.sortie.eetuning.cli.option.RankMixin;
import dev.sortie.eetuning.cli.view.AuditView;
import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.train.audit.AuditHeader;
import dev.sortie.eetuning.train.audit.AuditReplay;
import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Checks audit records. */
@Command(
    name = "audit",
    mixinStandardHelpOptions = true,
    description =
        "Checks an audit record that tune or pretrain has written with --audit: computes the steps "
            + "again, from the recorded data and settings, and says of each whether it agrees.",
    footer = {
      "",
      "Exit codes: 0 all steps agree, 1 one does not or the replay failed, 2 wrong usage.",
      "Any --dp and --pp may be given, in a job started by launch; --tp must be the recorded one."
    })
public final class AuditCommand implements Callable<Integer> {
  private static final Pattern RANGE = Pattern.compile("(\\d{1,9})(?:\\.\\.(\\d{1,9}))?");
  private static final String STANDARD_INPUT = "-";

  /** What is done with a record. */
  enum Verb {
    /** Replayed and compared. */
    VERIFY
  }

  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "verify", description = "The word verify.")
  private Verb verb;

  @Parameters(index = "1", paramLabel = "FILE", description = "The record.")
  private Path file;

  @Option(
      names = "--steps",
      paramLabel = "A..B",
      description =
          "Check these steps only, such as 90..100 or 7. The replay begins at the last "
              + "checkpoint before them. Default: all steps of the record.")
  private String steps;

  @Option(
      names = "--run",
      paramLabel = "DIR",
      description =
          "Folder of the run. Its checkpoints are compared with the replay, which can begin at "
              + "one. Default: the folder of FILE, if it has checkpoints.")
  private Path run;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description =
          "Folder for temporary files, such as the tokenised data. Default: the folder of FILE.")
  private Path work;

  @Option(
      names = "--model",
      paramLabel = "M",
      description = "The model, if it is not where the record says.")
  private String model;

  @Option(
      names = "--exits",
      paramLabel = "DIR",
      description = "The initial exits, if they are not where the record says.")
  private Path exits;

  @Option(
      names = "--data",
      arity = "1..*",
      paramLabel = "FILE",
      description = "The data files, in their order, if they are not where the record says.")
  private List<Path> data;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "The tokenizer.json of pretrain, if it is not where the record says.")
  private Path tokenizer;

  @Mixin private RankMixin ranks;
  @Mixin private ComputeMixin compute;

  @Option(names = "--json", description = "Print the result as JSON to standard output.")
  private boolean json;

  @Override
  public Integer call() {
    Path parent = file.toAbsolutePath().getParent();
    AuditReplay record = AuditReplay.read(file, folder(parent));
    if (record.steps() == 0) {
      throw new InputException(file + ": has no step yet");
    }
    int[] range = range(record.steps());
    AuditedCommand command = command(record.header(), work == null ? parent : work);
    return command.replay((witness, interrupt) -> verify(record, range, witness, interrupt));
  }

  private int verify(AuditReplay record, int[] range, StepWitness witness, Interrupt interrupt) {
    boolean speaks = witness.groups().leads();
    try (AuditView view = new AuditView(file, record, speaks, json)) {
      AuditReplay.Verdict verdict =
          record.run(range[0], range[1], witness, view, interrupt::wanted);
      view.show(verdict);
      return verdict.differs().isEmpty() ? 0 : 1;
    }
  }

  /** First and last step. */
  private int[] range(int all) {
    if (steps == null) {
      return new int[] {1, all};
    }
    Matcher m = RANGE.matcher(steps);
    if (!m.matches()) {
      throw wrong("take two steps such as 90..100, or one");
    }
    int from = Integer.parseInt(m.group(1));
    int to = m.group(2) == null ? from : Integer.parseInt(m.group(2));
    if (from < 1 || to < from || to > all) {
      throw wrong("the record has steps 1 to " + all);
    }
    return new int[] {from, to};
  }

  private ParameterException wrong(String reason) {
    return new ParameterException(spec.commandLine(), "--steps " + steps + ": " + reason);
  }

  private Optional<Path> folder(Path parent) {
    if (run == null) {
      return Optional.of(parent).filter(p -> Files.isDirectory(p.resolve(Checkpoints.FOLDER)));
    }
    if (!Files.isDirectory(run.resolve(Checkpoints.FOLDER))) {
      throw new InputException("--run " + run + ": has no folder " + Checkpoints.FOLDER);
    }
    return Optional.of(run);
  }

  /** The recorded command, with what this command line says instead. */
  private AuditedCommand command(AuditHeader header, Path out) {
    AuditedCommand command =
        switch (header.command()) {
          case "tune" -> new TuneCommand();
          case "pretrain" -> new PretrainCommand();
          default ->
              throw new InputException(
                  "%s: records a command %s, which has no replay"
                      .formatted(file, Printable.value(header.command())));
        };
    CommandLine line = CommandLines.of(command);
    Map<String, List<String>> options = new LinkedHashMap<>(header.options());
    options.keySet().forEach(name -> requireDeciding(line, name));
    CommandSpec recorded = line.getCommandSpec();
    options.putAll(
        AuditMixin.given(spec, o -> recorded.findOption(o.longestName()) != null && !isOwn(o)));
    if (options.getOrDefault("--data", List.of()).contains(STANDARD_INPUT)) {
      throw new InputException(
          file + ": the data came from standard input; give the same text with --data FILE");
    }
    options.put("--out", List.of(out.toString()));
    try {
      line.parseArgs(words(options));
    } catch (ParameterException e) {
      throw new InputException(
          "%s: the recorded command cannot be replayed: %s".formatted(file, e.getMessage()), e);
    }
    return command;
  }

  /** What has the name of an option there, but is of this command alone. */
  private static boolean isOwn(OptionSpec option) {
    return List.of("--json", "--steps").contains(option.longestName());
  }

  /** A record may come from anywhere: it names no option that writes a file, or is unknown. */
  private void requireDeciding(CommandLine line, String name) {
    OptionSpec option = line.getCommandSpec().findOption(name);
    if (option == null
        || option.usageHelp()
        || option.versionHelp()
        || !AuditMixin.decides(option)) {
      throw new InputException(
          "%s: records an option %s, which decides nothing of what is trained"
              .formatted(file, Printable.value(name)));
    }
  }

  private static String[] words(Map<String, List<String>> options) {
    List<String> words = new ArrayList<>();
    options.forEach(
        (name, values) -> {
          if (values.isEmpty()) {
            words.add(name);
          }
          values.forEach(value -> words.add(name + "=" + value));
        });
    return words.toArray(String[]::new);
  }
}
