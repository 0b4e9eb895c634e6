package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.cli.base.CommandLines;
import dev.sortie.eetuning.cli.command.AddExitsCommand;
import dev.sortie.eetuning.cli.command.AuditCommand;
import dev.sortie.eetuning.cli.command.CalibrateCommand;
import dev.sortie.eetuning.cli.command.ChatCommand;
import dev.sortie.eetuning.cli.command.CloudCommand;
import dev.sortie.eetuning.cli.command.ConvertCommand;
import dev.sortie.eetuning.cli.command.DemoCommand;
import dev.sortie.eetuning.cli.command.DoctorCommand;
import dev.sortie.eetuning.cli.command.DropExitsCommand;
import dev.sortie.eetuning.cli.command.EvalCommand;
import dev.sortie.eetuning.cli.command.ExerciseCommand;
import dev.sortie.eetuning.cli.command.ExplainCommand;
import dev.sortie.eetuning.cli.command.GenerateCommand;
import dev.sortie.eetuning.cli.command.LaunchCommand;
import dev.sortie.eetuning.cli.command.ManualCommand;
import dev.sortie.eetuning.cli.command.MergeExitsCommand;
import dev.sortie.eetuning.cli.command.PretrainCommand;
import dev.sortie.eetuning.cli.command.PullCommand;
import dev.sortie.eetuning.cli.command.ReshardCommand;
import dev.sortie.eetuning.cli.command.SampleCommand;
import dev.sortie.eetuning.cli.command.ScoreCommand;
import dev.sortie.eetuning.cli.command.ServeCommand;
import dev.sortie.eetuning.cli.command.SpeedrunCommand;
import dev.sortie.eetuning.cli.command.TokenizeCommand;
import dev.sortie.eetuning.cli.command.TuneCommand;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * The command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 done, but a text has
 * tokens that an edge decided without its cloud.
 */
@Command(
    name = "sortie",
    mixinStandardHelpOptions = true,
    version = "sortie 0.1.0",
    description =
        "A pure-Java tensor engine, EE-Tuning trainer and early-exit decoder for large language"
            + " models.",
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "A model is a Hugging Face folder, a .gguf file, ORG/NAME (after sortie "
          + "pull ORG/NAME), or fable, the embedded model.",
      "./sortie test runs the tests, ./sortie dist --out DIR makes a package that runs without a JDK,"
          + " ./sortie java FILE.java runs a program of yours with Sortie on the class path."
    })
public final class Main implements Runnable {
  private static final String HELP = "help";
  private static final String MANUAL = "manual";

  /** All commands, as the help lists them. */
  private static final List<String> COMMANDS =
      List.of(
          "demo",
          "doctor",
          "pretrain",
          "add-exits",
          "tune",
          "reshard",
          "audit",
          "merge-exits",
          "drop-exits",
          "generate",
          "chat",
          "explain",
          "serve",
          "cloud",
          "sample",
          "score",
          "calibrate",
          "eval",
          "tokenize",
          "convert",
          "pull",
          "launch",
          "exercise",
          "speedrun",
          MANUAL,
          HELP);

  @Spec private CommandSpec spec;

  /** For picocli. */
  public Main() {}

  /** Runs one command and ends the JVM with its exit code. */
  public static void main(String[] args) {
    int code = CommandLines.run(commandLine(args), args);
    if (code != 0) {
      System.exit(code);
    }
    // The JVM ends by itself: exit looks for a logger in all jars, which takes 20 ms.
  }

  /**
   * The command line that executes {@code args}. Where the first of them names a command, it knows
   * no other: reading the options of all commands took 0.1 s of each start. Two write of all, and
   * the version needs none.
   */
  public static CommandLine commandLine(String... args) {
    String first = args.length == 0 ? HELP : args[0];
    List<String> known =
        switch (first) {
          case HELP, MANUAL -> COMMANDS;
          case "--version", "-V" -> List.of();
          default -> COMMANDS.contains(first) ? List.of(first) : COMMANDS;
        };
    return CommandLines.of(new Main(), known.stream().map(Main::command).toArray(Class<?>[]::new));
  }

  /** The class of a command, which is loaded only when it is asked for. */
  private static Class<?> command(String name) {
    return switch (name) {
      case "demo" -> DemoCommand.class;
      case "doctor" -> DoctorCommand.class;
      case "pretrain" -> PretrainCommand.class;
      case "add-exits" -> AddExitsCommand.class;
      case "tune" -> TuneCommand.class;
      case "reshard" -> ReshardCommand.class;
      case "audit" -> AuditCommand.class;
      case "merge-exits" -> MergeExitsCommand.class;
      case "drop-exits" -> DropExitsCommand.class;
      case "generate" -> GenerateCommand.class;
      case "chat" -> ChatCommand.class;
      case "explain" -> ExplainCommand.class;
      case "serve" -> ServeCommand.class;
      case "cloud" -> CloudCommand.class;
      case "sample" -> SampleCommand.class;
      case "score" -> ScoreCommand.class;
      case "calibrate" -> CalibrateCommand.class;
      case "eval" -> EvalCommand.class;
      case "tokenize" -> TokenizeCommand.class;
      case "convert" -> ConvertCommand.class;
      case "pull" -> PullCommand.class;
      case "launch" -> LaunchCommand.class;
      case "exercise" -> ExerciseCommand.class;
      case "speedrun" -> SpeedrunCommand.class;
      case MANUAL -> ManualCommand.class;
      case HELP -> HelpCommand.class;
      default -> throw new IllegalArgumentException(name);
    };
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "no command given");
  }
}
