package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.eetuning.train.audit.AuditRecorder;
import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.loop.StepRecorder;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The audit record of a command that trains. */
public final class AuditMixin {
  /** Options that change no bit of what is trained: a record does not have them. */
  private static final Set<String> NOT_DECIDING =
      Set.of(
          "--async-checkpoints",
          "--audit",
          "--checkpoint-every",
          "--chunks",
          "--dp",
          "--dry-run",
          "--feature-cache",
          "--gate-tokens",
          "--json",
          "--keep-checkpoints",
          "--out",
          "--plot-schedule",
          "--pp",
          "--save",
          "--schedule",
          "--stage-split",
          "--step-log",
          "--threads",
          "--validate-every");

  @Option(
      names = "--audit",
      paramLabel = "FILE",
      description =
          "Write an audit record: one line per step with hashes of its data and of "
              + "what is trained, its losses and gradient norms. Check it with audit "
              + "verify.")
  private Path file;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  private String head;

  /** Whether an option decides what is trained, and is part of a record. */
  public static boolean decides(OptionSpec option) {
    return !NOT_DECIDING.contains(option.longestName());
  }

  /** Options that were given to a command, by name: the words after each. */
  public static Map<String, List<String>> given(CommandSpec command, Predicate<OptionSpec> which) {
    Map<String, List<String>> words = new TreeMap<>();
    for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
      if (which.test(option)) {
        boolean takes = option.arity().max() > 0;
        words.put(option.longestName(), takes ? option.originalStringValues() : List.of());
      }
    }
    return words;
  }

  /**
   * Runs a loop, with a record of its steps if one is asked for. A collective call.
   *
   * @param sequences in a step
   * @param loop makes the loop
   * @param say takes a line about the finished record, on the first rank
   */
  public TrainLoop.Outcome run(
      TrainingJob job,
      TokenSource data,
      int sequences,
      Kernels kernels,
      ProcessGroups groups,
      Function<StepRecorder, TrainLoop> loop,
      Consumer<String> say) {
    if (file == null) {
      return loop.apply(StepRecorder.NONE).run();
    }
    StepWitness witness = new StepWitness(job, data, sequences, kernels, groups);
    try (AuditRecorder recorder =
        new AuditRecorder(file, command.name(), given(command, AuditMixin::decides), witness)) {
      TrainLoop.Outcome outcome = loop.apply(recorder).run();
      if (groups.leads()) {
        head = recorder.head();
        say.accept(
            "audit record %s: %d steps, SHA-256 of its last line %s"
                .formatted(file, outcome.history().steps(), head));
      }
      return outcome;
    }
  }

  /** Hash of the last line of the record, on the first rank, after the run; empty without one. */
  public Optional<String> head() {
    return Optional.ofNullable(head);
  }
}
