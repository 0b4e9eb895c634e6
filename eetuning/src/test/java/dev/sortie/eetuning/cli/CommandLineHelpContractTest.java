package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class CommandLineHelpContractTest {

  private static Stream<Map.Entry<String, CommandLine>> commands() {
    return Main.commandLine().getSubcommands().entrySet().stream()
        .filter(e -> !e.getKey().equals("help"));
  }

  @TestFactory
  Stream<DynamicTest> helpListsEveryOptionWithItsDefault() {
    return commands()
        .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> assertHelp(e.getKey(), e.getValue())));
  }

  private static void assertHelp(String name, CommandLine command) {
    CommandLineRun run = CommandLineRun.of(name, "--help");
    assertThat(run.succeeded().err()).isEmpty();
    String help = run.out().replaceAll("\\s+", " ");
    assertThat(help).contains("sortie " + name);
    for (OptionSpec option : command.getCommandSpec().options()) {
      assertThat(help).contains(option.names());
      assertThat(option.description()).as(option.longestName()).isNotEmpty();
      if (option.defaultValue() != null && option.arity().max() > 0) {
        String described = String.join(" ", option.description()).replaceAll("\\s+", " ");
        String shown = described.replace("${DEFAULT-VALUE}", option.defaultValue());
        assertThat(shown)
            .as(option.longestName())
            .containsIgnoringCase("default: " + option.defaultValue());
        assertThat(help).as(option.longestName()).contains(shown);
      }
    }
  }

  @Test
  void theMainHelpListsAllCommands() {
    CommandLineRun run = CommandLineRun.of("--help").succeeded();
    assertThat(run.out()).contains(commands().map(Map.Entry::getKey).toList());
    commands()
        .forEach(
            e ->
                assertThat(e.getValue().getCommandSpec().usageMessage().description()[0])
                    .as("what the list says of %s", e.getKey())
                    .endsWith("."));
    assertThat(CommandLineRun.of("--version").succeeded().out()).startsWith("sortie ");
  }

  @Test
  void doctorListsTheModelFamilies() {
    String text = CommandLineRun.of("doctor", "--models").succeeded().out();
    List<JsonObject> models =
        CommandLineRun.of("doctor", "--models", "--json").json().getObjects("models");
    assertThat(text).hasLineCount(models.size() + 1);
    assertThat(models.getFirst().getString("model_type")).isEqualTo("llama");
    assertThat(models.getFirst().getBoolean("gguf")).isTrue();
    models.forEach(
        m -> assertThat(text).contains(m.getString("model_type"), m.getString("family")));
  }

  @Test
  void wrongUsageIsOneLineAndCodeTwo() {
    CommandLineRun.of().assertRefused(2, "no command", "--help");
    CommandLineRun.of("gnerate").assertRefused(2, "gnerate", "--help");
    CommandLineRun.of("generate", "--model", "fable", "--bogus", "1")
        .assertRefused(2, "--bogus", "sortie generate --help");
    CommandLineRun.of("add-exits", "--model", "fable", "--at", "1").assertRefused(2, "--out");
    CommandLineRun.of("add-exits", "--at", "1", "--out", "x").assertRefused(2, "--model");
    CommandLineRun.of("add-exits", "--model", "m", "--out", "x", "--at", "one")
        .assertRefused(2, "--at", "one");
    CommandLineRun.of("generate", "--model", "m", "--prompt", "a", "--max-tokens", "many")
        .assertRefused(2, "--max-tokens", "many");
    CommandLineRun.of("generate", "--model", "m", "--prompt", "a", "--dtype", "f8")
        .assertRefused(2, "--dtype", "f8", "BF16");
    CommandLineRun.of("generate", "--model", "m", "--prompt", "a\nb", "--bogus\nline")
        .assertRefused(2, "--bogus line");
    CommandLineRun.of("merge-exits", "--model", "m", "--out", "x").assertRefused(2, "DIR");
  }
}
