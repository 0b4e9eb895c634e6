package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.cli.base.CommandLines;
import dev.sortie.eetuning.cli.command.AddExitsCommand;
import dev.sortie.eetuning.cli.command.CalibrateCommand;
import dev.sortie.eetuning.cli.command.ChatCommand;
import dev.sortie.eetuning.cli.command.ConvertCommand;
import dev.sortie.eetuning.cli.command.DemoCommand;
import dev.sortie.eetuning.cli.command.DoctorCommand;
import dev.sortie.eetuning.cli.command.DropExitsCommand;
import dev.sortie.eetuning.cli.command.EvalCommand;
import dev.sortie.eetuning.cli.command.GenerateCommand;
import dev.sortie.eetuning.cli.command.LaunchCommand;
import dev.sortie.eetuning.cli.command.MergeExitsCommand;
import dev.sortie.eetuning.cli.command.PretrainCommand;
import dev.sortie.eetuning.cli.command.PullCommand;
import dev.sortie.eetuning.cli.command.ReshardCommand;
import dev.sortie.eetuning.cli.command.ScoreCommand;
import dev.sortie.eetuning.cli.command.TokenizeCommand;
import dev.sortie.eetuning.cli.command.TuneCommand;
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
        "A pure-Java tensor engine, EE-Tuning trainer and early-exit decoder for large language"
            + " models.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      DoctorCommand.class,
      PretrainCommand.class,
      AddExitsCommand.class,
      TuneCommand.class,
      ReshardCommand.class,
      MergeExitsCommand.class,
      DropExitsCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      ScoreCommand.class,
      CalibrateCommand.class,
      EvalCommand.class,
      TokenizeCommand.class,
      ConvertCommand.class,
      PullCommand.class,
      LaunchCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "A model is a Hugging Face folder, a .gguf file, ORG/NAME after sortie pull ORG/NAME, or the word fable (the embedded model).",
      "./sortie test runs the tests."
    })
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  /** For picocli. */
  public Main() {}

  /** Runs one command and ends the JVM with its exit code. */
  public static void main(String[] args) {
    System.exit(CommandLines.run(commandLine(), args));
  }

  /** The commands, ready to execute. */
  static CommandLine commandLine() {
    return CommandLines.of(new Main());
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "no command given");
  }
}
