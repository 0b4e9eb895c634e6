package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.nn.json.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** What a command reads as text or JSON comes from standard input too, with the same result. */
class PipedInputContractTest {
  private static final String TEMPLATE = "{% for m in messages %}{{ m.content }} {% endfor %}";
  private static final String MESSAGES = "[{\"role\": \"user\", \"content\": \"The hen sat\"}]";

  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
    Files.writeString(tiny.model().resolve("chat_template.jinja"), TEMPLATE);
  }

  private static CommandLineRun reading(String text, Supplier<CommandLineRun> command) {
    InputStream real = System.in;
    System.setIn(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    try {
      return command.get();
    } finally {
      System.setIn(real);
    }
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(temp.resolve(name), text);
  }

  @Test
  void promptsAndConversations() throws IOException {
    String generate = "generate --max-tokens 6 --json ";
    for (List<String> given :
        List.of(
            List.of("--prompt-file", "The hen sat"),
            List.of("--messages", MESSAGES),
            List.of("--prompts", "The hen\nThe fox\n"))) {
      String option = generate + given.get(0) + " %s";
      Path file = file("prompt", given.get(1));
      JsonObject named = tiny.run(option, file).json();
      JsonObject piped = reading(given.get(1), () -> tiny.run(option, "-")).json();
      assertThat(texts(piped)).as(option).isEqualTo(texts(named));
    }
    CommandLineRun tokens =
        reading("The hen", () -> CommandLineRun.line("tokenize --model %s --file -", tiny.model()));
    assertThat(tokens.succeeded().out())
        .isEqualTo(
            CommandLineRun.line("tokenize --model %s --text %s", tiny.model(), "The hen").out());
  }

  private static List<?> texts(JsonObject generation) {
    return generation.contains("texts")
        ? generation.getObjects("texts").stream().map(TinyCommands::ids).toList()
        : ids(generation);
  }

  @Test
  void templatesAndTools() throws IOException {
    Path template =
        file(
            "tools.jinja",
            "{% for t in tools %}{{ t.name }} {% endfor %}{{ messages[0].content }}");
    String tools = "[{\"name\": \"fox\"}]";
    String command = "generate --max-tokens 6 --json --messages %s --chat-template %s --tools %s";
    Path messages = file("messages", MESSAGES);
    JsonObject named = tiny.run(command, messages, template, file("tools", tools)).json();
    JsonObject piped = reading(tools, () -> tiny.run(command, messages, template, "-")).json();
    assertThat(piped.fields().get("prompt_ids")).isEqualTo(named.fields().get("prompt_ids"));
    String source = Files.readString(template);
    JsonObject from =
        reading(source, () -> tiny.run(command, messages, "-", temp.resolve("tools"))).json();
    assertThat(from.fields().get("prompt_ids")).isEqualTo(named.fields().get("prompt_ids"));
  }

  @Test
  void scoresAndReports() throws IOException {
    String text = Files.readString(tiny.data());
    String score = "score --json --file %s";
    JsonObject named = tiny.run(score, tiny.data()).json();
    JsonObject piped = reading(text, () -> tiny.run(score, "-")).json();
    assertThat(piped.fields().get("heads").toString())
        .isEqualTo(named.fields().get("heads").toString());
    String tasks = "{\"prompt\": \"The hen\", \"references\": [\"sat\"], \"max_tokens\": 4}\n";
    JsonObject report =
        reading(
                tasks,
                () ->
                    tiny.run(
                        "eval --json --text %s --tasks - --out %s",
                        tiny.data(), temp.resolve("report")))
            .json();
    assertThat(report.getObjects("settings").getFirst().getObject("tasks").fields())
        .containsKey("standard input");
    reading(text, () -> tiny.run("eval --json --text - --out %s", temp.resolve("second report")))
        .json();
  }

  /** Each way of decoding needs the thresholds, which a pipe gives once. */
  @Test
  void calibrationsAndTheirThresholds() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 12; i++) {
      lines.append(
          "{\"text\": \"" + TinyModel.TEXT.substring(i, i + 40).replace('"', '\'') + "\"}\n");
    }
    String calibrate =
        "calibrate --json --exits %s --active all --level 0.6 --confidence 0.5 --window 16 --tokens 6 --data %s --out %s";
    Path thresholds = temp.resolve("thresholds.json");
    Path held = file("held.jsonl", lines.toString());
    JsonObject named = tiny.run(calibrate, tiny.exits(), held, thresholds).json();
    JsonObject piped =
        reading(
                lines.toString(),
                () -> tiny.run(calibrate, tiny.exits(), "-", temp.resolve("piped.json")))
            .json();
    assertThat(piped.getObject("thresholds").fields().keySet())
        .isEqualTo(named.getObject("thresholds").fields().keySet());
    assertThat(piped.getObject("promise").getInt("sequences", 12, 12)).isEqualTo(12);
    assertThat(piped.getObject("promise").getStrings("data")).containsExactly("standard input");
    String text = Files.readString(tiny.data());
    JsonObject windows =
        reading(text, () -> tiny.run(calibrate, tiny.exits(), "-", temp.resolve("windows.json")))
            .json();
    assertThat(windows.getObject("promise").getInt("sequences", 13, 10_000)).isGreaterThan(12);

    String written = Files.readString(thresholds);
    String generate = "generate --json --exits %s --prompt hen --max-tokens 6 --thresholds %s";
    assertThat(ids(reading(written, () -> tiny.run(generate, tiny.exits(), "-")).json()))
        .isEqualTo(ids(tiny.run(generate, tiny.exits(), thresholds).json()));
    Path tasks = file("tasks.jsonl", "{\"prompt\": \"The hen\", \"max_tokens\": 4}\n");
    JsonObject report =
        reading(
                written,
                () ->
                    tiny.run(
                        "eval --json --exits %s --active all --threshold 0.5 --tasks %s --thresholds - --out %s",
                        tiny.exits(), tasks, temp.resolve("report")))
            .json();
    assertThat(report.getObjects("settings").stream().map(s -> s.getString("strategy")))
        .contains("calibrated", "calibrated+prompt-lookup");
  }

  @Test
  void tuningData() throws IOException {
    String text = Files.readString(tiny.data());
    String tune =
        "tune --json --exits %s --data %s --out %s --steps 4 --seq-len 16 --micro-batch 2 --checkpoint-every 2 --gate-tokens 0";
    Path run = temp.resolve("run");
    String named =
        tiny.run(tune, tiny.exits(), tiny.data(), temp.resolve("named")).json().toString();
    JsonObject piped = reading(text, () -> tiny.run(tune, tiny.exits(), "-", run)).json();
    assertThat(named).contains(piped.getString("exits_sha256"));
    // a run resumes with the same text, and with no other
    JsonObject again = reading(text, () -> tiny.run(tune, tiny.exits(), "-", run)).json();
    assertThat(again.getString("exits_sha256")).isEqualTo(piped.getString("exits_sha256"));
    reading(text + text, () -> tiny.run(tune, tiny.exits(), "-", run))
        .assertRefused(1, "tokens.bin", "begun with other data");
    reading("", () -> tiny.run(tune, tiny.exits(), "-", run))
        .assertRefused(1, "standard input", "is empty");
  }

  /** The tokenizer and the model are trained on it, so it is read twice. */
  @Test
  void pretrainingData() throws IOException {
    String pretrain =
        "pretrain --json --threads 1 --data %s --out %s --steps 2 --seq-len 16 --vocab 270 --micro-batch 2 --layers 1 --hidden 16 --heads 2 --kv-heads 1 --ffn 32";
    String named =
        CommandLineRun.line(pretrain, tiny.data(), temp.resolve("named"))
            .json()
            .getString("model_sha256");
    JsonObject piped =
        reading(
                Files.readString(tiny.data()),
                () -> CommandLineRun.line(pretrain, "-", temp.resolve("piped")))
            .json();
    assertThat(piped.getString("model_sha256")).isEqualTo(named);
  }

  /** Its first words are taken in every batch of sampled text. */
  @Test
  void firstWordsOfSampledText() throws IOException {
    Path out = temp.resolve("run");
    String tune =
        "tune --json --exits %s --data self %s --self-tokens 100 --out %s --steps 1 --seq-len 16 --micro-batch 2 --gate-tokens 0";
    String named =
        tiny.run(tune, tiny.exits(), tiny.data(), temp.resolve("named"))
            .json()
            .getString("exits_sha256");
    String text = Files.readString(tiny.data());
    assertThat(
            reading(text, () -> tiny.run(tune, tiny.exits(), "-", out))
                .json()
                .getString("exits_sha256"))
        .isEqualTo(named);
  }

  @Test
  void standardInputIsForOneReader() {
    tiny.run("generate --messages - --tools - --json")
        .assertRefused(2, "standard input", "--messages", "--tools", "name a file");
    tiny.run("eval --tasks - - --out %s", temp.resolve("out"))
        .assertRefused(2, "both --tasks and --tasks");
    reading("Hello\n", () -> tiny.run("chat --tools -"))
        .assertRefused(2, "the conversation", "--tools");
    tiny.run("generate --max-tokens 2 --prompt-file %s", Path.of("./-"))
        .assertRefused(1, "./-", "no such file");
  }

  @Test
  void ranksReadFiles() throws IOException, InterruptedException {
    String[] words = {
      "generate", "--model", tiny.model().toString(), "--pp", "2", "--prompt-file", "-"
    };
    try (CommandLineProcess rank =
        new CommandLineProcess(Map.of("RANK", "0", "WORLD_SIZE", "2"), words)) {
      rank.end().assertRefused(2, "--prompt-file -", "ranks", "name a file");
    }
  }

  @Test
  void endlessAndUnreadableInputsAreOneLine() {
    tiny.run("generate --prompt-file %s", temp).assertRefused(1, temp.toString(), "is a folder");
    tiny.run("generate --thresholds %s --exits %s --prompt a", temp, tiny.exits())
        .assertRefused(1, temp.toString(), "is a folder");
    if (Files.exists(Path.of("/dev/zero"))) {
      tiny.run("generate --messages /dev/zero").assertRefused(1, "/dev/zero", "bytes");
      tiny.run("generate --thresholds /dev/zero --exits %s --prompt a", tiny.exits())
          .assertRefused(1, "/dev/zero", "bytes");
    }
  }

  /**
   * An option that names a file either reads it so, or is one of those that write or map it, or
   * read a key store.
   */
  @Test
  void everyOptionThatReadsAFileReadsPipes() {
    Set<String> others = new TreeSet<>();
    for (Map.Entry<String, CommandLine> e : Main.commandLine().getSubcommands().entrySet()) {
      for (OptionSpec o : e.getValue().getCommandSpec().options()) {
        boolean path =
            o.type() == Path.class || Arrays.asList(o.auxiliaryTypes()).contains(Path.class);
        if (!path || o.paramLabel().equals("DIR")) {
          continue;
        }
        boolean reads = Arrays.stream(o.converters()).anyMatch(ReadOnce.class::isInstance);
        if (reads) {
          assertThat(String.join(" ", o.description()))
              .as(e.getKey() + " " + o.longestName())
              .contains("- reads standard input");
        } else {
          others.add(e.getKey() + " " + o.longestName());
        }
      }
    }
    assertThat(others)
        .containsExactly(
            "audit --data",
            "audit --tokenizer",
            "calibrate --out",
            "calibrate --traces",
            "convert --out",
            "generate --plot-schedule",
            "merge-exits --ngrams",
            "pretrain --audit",
            "pretrain --plot-schedule",
            "pretrain --step-log",
            "pretrain --tokenizer",
            "serve --access-log",
            "serve --tls",
            "speedrun --record",
            "tune --audit",
            "tune --plot-schedule",
            "tune --step-log");
  }
}
