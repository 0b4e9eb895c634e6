package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.view.ManualPage;
import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Manual pages and shell completion. */
@Command(
    name = "manual",
    mixinStandardHelpOptions = true,
    description =
        "Writes manual pages of all commands and the completion of their options in shells, to where"
            + " a system looks for them.")
public final class ManualCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SHARE",
      description =
          "A folder that is there, such as /usr/local/share or ~/.local/share: pages go to man/man1"
              + " below it, the completion of bash to bash-completion/completions. In zsh, run"
              + " bashcompinit and source the latter.")
  private Path share;

  @Option(
      names = "--json",
      description = "The files that were written as one JSON object on standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (!Files.isDirectory(share)) {
      throw new InputException(share + ": no such folder; name one, such as ~/.local/share");
    }
    CommandLine root = spec.root().commandLine();
    String version = root.getCommandSpec().version()[0];
    Path man = share.resolve("man").resolve("man1");
    Path completion = share.resolve("bash-completion").resolve("completions");
    Folders.create(man);
    Folders.create(completion);
    List<Path> files = new ArrayList<>();
    write(files, man.resolve("sortie.1"), ManualPage.of(root, version));
    root.getSubcommands().values().stream()
        .filter(command -> !command.getCommandSpec().helpCommand())
        .forEach(
            command ->
                write(
                    files,
                    man.resolve("sortie-" + command.getCommandName() + ".1"),
                    ManualPage.of(command, version)));
    write(files, completion.resolve("sortie"), AutoComplete.bash("sortie", root));
    if (json) {
      System.out.println(
          Json.compact(Json.object("files", files.stream().map(Path::toString).toList())));
    } else {
      System.out.println(files.size() + " files written below " + share);
    }
    return 0;
  }

  private static void write(List<Path> files, Path file, String text) {
    AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
    files.add(file);
  }
}
