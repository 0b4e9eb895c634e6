package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** With {@code --json}, standard output is JSON whatever a command does. */
@Tag("any-kernels")
class JsonOutputContractTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  @TempDir private static Path folder;

  /** All that do something. */
  private static Map<String, CommandSpec> commands() {
    return Main.commandLine().getSubcommands().entrySet().stream()
        .filter(e -> !e.getValue().getCommandSpec().helpCommand())
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().getCommandSpec()));
  }

  @Test
  void everyCommandKnowsJson() {
    assertThat(commands()).hasSizeGreaterThan(15);
    commands()
        .forEach(
            (name, spec) -> {
              OptionSpec json = spec.findOption("--json");
              assertThat(json).as(name).isNotNull();
              assertThat(json.arity().max()).as(name).isZero();
            });
  }

  @TestFactory
  Stream<DynamicTest> wrongUsageLeavesStandardOutputEmpty() {
    return commands().keySet().stream()
        .sorted()
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () ->
                        CommandLineRun.of(name, "--json", "--no-such-option")
                            .assertRefused(2, "sortie " + name + " --help")));
  }

  /** Each has what it must be given, and none of it is there. */
  @TestFactory
  Stream<DynamicTest> workThatFailsLeavesStandardOutputEmpty() {
    return commands().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .filter(e -> !e.getKey().equals("launch")) // its object says that the command has failed
        .map(e -> DynamicTest.dynamicTest(e.getKey(), () -> assertFails(failing(e.getValue()))));
  }

  private static void assertFails(String... words) {
    CommandLineRun run = CommandLineRun.of(words);
    assertThat(run.code()).as(run.err()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    List<String> lines =
        run.err().lines().toList(); // pretrain says first that it trains a tokenizer
    assertThat(lines.getLast()).startsWith("sortie: ").doesNotContain("internal error");
  }

  private static String[] failing(CommandSpec spec) {
    String absent = folder.resolve("absent").toString();
    List<String> words = new ArrayList<>(List.of(spec.name(), "--json"));
    for (OptionSpec o : spec.options()) {
      if (o.required() && !o.names()[0].equals("--out")) {
        words.addAll(
            List.of(o.longestName(), o.type() == String.class || isPath(o) ? absent : "1"));
      }
    }
    words.addAll(
        switch (spec.name()) {
          case "add-exits" -> List.of("--at", "1");
          case "audit" -> List.of("verify", absent);
          case "demo" -> List.of("--out", ROOT.resolve("README.md").toString());
          case "doctor" -> List.of("--exits", absent, "--model", absent);
          case "eval" -> List.of("--text", absent);
          case "exercise" -> List.of("exit-rule", absent);
          case "explain", "generate", "tokenize" -> List.of("--prompt", "a");
          case "pull" -> List.of("no repository");
          default -> List.of();
        });
    if (!spec.positionalParameters().isEmpty() && !List.of("audit", "pull").contains(spec.name())) {
      words.addAll(
          List.of(absent, absent).subList(0, spec.positionalParameters().getFirst().arity().min()));
    }
    OptionSpec out = spec.findOption("--out");
    if (out != null && out.required()) {
      words.addAll(List.of("--out", folder.resolve("nothing").toString()));
    }
    return words.toArray(String[]::new);
  }

  private static boolean isPath(OptionSpec o) {
    return o.type() == Path.class || List.of(o.auxiliaryTypes()).contains(Path.class);
  }

  @Test
  void aJobThatFailsIsAnObjectToo() {
    CommandLineRun run =
        CommandLineRun.of("launch", "--nproc", "2", "--json", "--", "sh", "-c", "echo no; exit 3");
    assertThat(run.code()).isEqualTo(3);
    JsonObject job = Json.parse("standard output", run.out(), JsonLimits.DATA);
    assertThat(job.getInt("exit_code", 0, 255)).isEqualTo(3);
    assertThat(job.getObject("results").fields()).isEmpty();
    assertThat(run.err()).contains("[0] no");
  }

  private static final Pattern INLINE = Pattern.compile("`(\\./sortie [^`]+)`");

  /**
   * A command line of a Markdown file.
   *
   * @param fenced whether it is a line of a fenced block, and not within a sentence
   */
  private record Documented(Path file, int number, String line, boolean fenced) {
    @Override
    public String toString() {
      return ROOT.relativize(file) + ":" + number + " " + line;
    }

    boolean isJson() {
      return line.contains("./sortie ") && line.matches(".* --json(?![\\w-]).*");
    }
  }

  private static List<Documented> documented(Path file) throws IOException {
    List<Documented> lines = new ArrayList<>();
    List<String> all = Files.readAllLines(file);
    boolean fenced = false;
    for (int i = 0; i < all.size(); i++) {
      String line = all.get(i).strip();
      if (line.startsWith("```")) {
        fenced = !fenced;
      } else if (fenced && !line.isEmpty()) {
        lines.add(new Documented(file, i + 1, line, true));
      } else {
        Matcher inline = INLINE.matcher(line);
        while (inline.find()) {
          lines.add(new Documented(file, i + 1, inline.group(1), false));
        }
      }
    }
    return lines;
  }

  private static List<Documented> documented() throws IOException {
    List<Path> files = new ArrayList<>();
    for (String folder : List.of("", "docs", "docs/tour", "benchmarks")) {
      try (Stream<Path> pages = Files.list(ROOT.resolve(folder))) {
        pages.filter(f -> f.toString().endsWith(".md")).sorted().forEach(files::add);
      }
    }
    List<Documented> lines = new ArrayList<>();
    for (Path file : files) {
      lines.addAll(documented(file));
    }
    return lines;
  }

  private static List<Documented> page() throws IOException {
    return documented(ROOT.resolve("docs/json.md"));
  }

  /** All but those that need the network. {@code DocumentationContractTest} runs them. */
  @Test
  void thePageHasEveryCommand() throws IOException {
    Set<String> shown = new TreeSet<>();
    for (Documented d : page()) {
      if (d.fenced() && d.isJson()) {
        for (String part : d.line().split("\\./sortie ")) {
          shown.add(part.split(" ")[0]);
        }
      }
    }
    Set<String> all = new TreeSet<>(commands().keySet());
    all.remove("pull");
    assertThat(shown).containsAll(all);
  }

  /** Also those that are not run here. */
  @TestFactory
  Stream<DynamicTest> documentedCommandsHaveTheirOptions() throws IOException {
    return documented().stream()
        .filter(d -> d.line().contains("./sortie "))
        .map(d -> DynamicTest.dynamicTest(d.toString(), () -> assertOptions(d.line())));
  }

  private static void assertOptions(String line) {
    Map<String, CommandLine> all = Main.commandLine().getSubcommands();
    String bare = line.replaceAll("\"[^\"]*\"|'[^']*'", "text").replaceAll("( |^)#.*", "");
    for (String part : bare.split("\\./sortie ")) {
      String[] words = part.strip().split("[\\s;|<>\\[\\]]+");
      if (part.equals(bare) || !all.containsKey(words[0])) {
        continue; // what stands before the first command, benchmarks and tests
      }
      for (String word : words) {
        if (word.matches("--[a-z-]+(=.*)?")) {
          assertThat(all.get(words[0]).getCommandSpec().findOption(word.replaceAll("=.*", "")))
              .as(word)
              .isNotNull();
        }
      }
    }
  }
}
