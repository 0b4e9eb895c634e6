package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Model.OptionSpec;

/** Manual pages say what the help says, and a shell completes what the parser knows. */
@Tag("any-kernels")
class ManualCommandContractTest {
  @TempDir private static Path share;

  @BeforeAll
  static void write() {
    List<String> files =
        CommandLineRun.of("manual", share.toString(), "--json").json().getStrings("files");
    assertThat(files).hasSizeGreaterThan(15).allSatisfy(f -> assertThat(Path.of(f)).exists());
  }

  @Test
  void eachCommandHasAPageWithAllOptions() {
    Main.commandLine()
        .getSubcommands()
        .forEach(
            (name, command) -> {
              if (command.getCommandSpec().helpCommand()) {
                return;
              }
              String page = read("man/man1/sortie-" + name + ".1");
              assertThat(page).startsWith(".TH \"SORTIE\\-").contains(".SH \"SYNOPSIS\"");
              assertThat(page).doesNotContain("${").doesNotContain(" null");
              for (OptionSpec option : command.getCommandSpec().options()) {
                assertThat(page).as(name).contains(option.longestName().replace("-", "\\-"));
              }
              assertThat(read("man/man1/sortie.1"))
                  .contains("\n" + name.replace("-", "\\-") + "\n");
            });
  }

  @Test
  void linesOfTextAreNoMacros() {
    assertThat(read("man/man1/sortie-tune.1").lines())
        .allMatch(
            line ->
                !line.startsWith("'")
                    && (!line.startsWith(".") || line.matches("\\.(TH|SH|TP|PP)( .*)?")));
  }

  @Test
  void bashCompletesCommandsAndOptions() throws Exception {
    String script =
        """
        compopt() { :; } # works in a shell that completes only
        . '%s'
        complete() {
          COMP_WORDS=("$@")
          COMP_CWORD=$(($# - 1))
          _complete_sortie
          echo "${COMPREPLY[@]}"
        }
        complete sortie gen
        complete sortie generate --max
        """
            .formatted(share.resolve("bash-completion/completions/sortie"));
    Process bash = new ProcessBuilder("bash", "-c", script).redirectErrorStream(true).start();
    String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(said).isZero();
    assertThat(said.lines()).containsExactly("generate", "--max-pending --max-tokens");
  }

  @Test
  void aFolderThatIsNotThereIsNamed() {
    CommandLineRun.of("manual", share.resolve("none").toString())
        .assertRefused(1, "none", "no such folder");
  }

  private static String read(String file) {
    try {
      return Files.readString(share.resolve(file));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
