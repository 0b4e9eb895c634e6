package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.LoadOptions;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.Strategy;
import dev.sortie.eetuning.TextOptions;
import dev.sortie.eetuning.TunerOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.chat.Conversation;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The API for applications gives what the commands give. */
class LibraryParityTest {
  private static final TextOptions SIX = TextOptions.atMost(6);

  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;
  private static Model model;
  private static Exits exits;

  @BeforeAll
  static void load() throws IOException {
    tiny = TinyCommands.in(shared);
    Files.writeString(
        tiny.model().resolve("chat_template.jinja"),
        "{% for m in messages %}{{ m.role[0] }}:{{ m.content }}\n{% endfor %}a:");
    model = Sortie.load(tiny.model(), LoadOptions.DEFAULT.threads(1));
    exits = model.exits(tiny.exits());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static List<Object> ids(Generation generation) {
    return generation.tokens().stream().<Object>map(t -> (long) t.id()).toList();
  }

  private static void assertSame(Generation ours, JsonObject command) {
    assertThat(ids(ours)).isEqualTo(TinyCommands.ids(command));
    assertThat(ours.text()).isEqualTo(command.getString("text"));
    assertThat(
            ours.tokens().stream()
                .<Object>map(
                    t -> t.exit().isPresent() ? (Object) (long) t.exit().getAsInt() : "final")
                .toList())
        .isEqualTo(TinyCommands.exitsOf(command));
  }

  @Test
  void fullDepth() {
    assertSame(
        model.generate("The hen", SIX).forEach(t -> {}), tiny.generate("--max-tokens 6").json());
    assertSame(
        model.generate("The hen", SIX.sampling(0.9, 7).stop("x")).forEach(t -> {}),
        tiny.generate("--max-tokens 6 --temperature 0.9 --seed 7 --stop x").json());
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.001, 0.2, 1})
  void earlyExit(double threshold) {
    assertSame(
        model
            .generate("The hen", SIX.strategy(Strategy.earlyExit(exits, threshold)))
            .forEach(t -> {}),
        tiny.generate(
                "--max-tokens 6 --active all --exits %s --threshold %s", tiny.exits(), threshold)
            .json());
  }

  @Test
  void speculative() {
    Generation drafted =
        model.generate("The hen", SIX.strategy(Strategy.speculative(exits))).forEach(t -> {});
    assertThat(ids(drafted)).isEqualTo(ids(model.generate("The hen", SIX).forEach(t -> {})));
    assertSame(
        drafted,
        tiny.generate("--max-tokens 6 --strategy speculative --exits %s", tiny.exits()).json());
  }

  @Test
  void conversations() throws IOException {
    Path messages =
        Files.writeString(
            temp.resolve("messages.json"), "[{\"role\": \"user\", \"content\": \"The fox\"}]");
    JsonObject command = tiny.run("generate --json --max-tokens 6 --messages %s", messages).json();
    assertSame(
        model.answer(List.of(ChatMessage.of("user", "The fox")), SIX).forEach(t -> {}), command);
    try (Conversation chat = model.chat("", SIX)) {
      assertThat(chat.say("The fox", t -> {}, () -> false).text())
          .isEqualTo(command.getString("text"));
    }
  }

  @Test
  void scores() {
    JsonObject command =
        tiny.run("score --json --exits %s --file %s", tiny.exits(), tiny.data()).json();
    TextScorer.Result ours = model.score(read(tiny.data()), exits);
    assertThat(ours.tokens()).isEqualTo(command.getLong("tokens", 1, 1 << 20));
    List<JsonObject> heads = command.getObjects("heads");
    assertThat(ours.heads().values().stream().map(TextScorer.Score::nll))
        .containsExactlyElementsOf(heads.stream().map(h -> h.getDouble("nll", 0, 100)).toList());
    assertThat(model.score(read(tiny.data())).heads()).containsOnlyKeys("final");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void tunedExitsHaveTheBytesOfTheCommands() {
    Path made = temp.resolve("made");
    tiny.run("add-exits --at 1,2 --out %s", made).succeeded();
    Path byCommand = temp.resolve("command");
    tiny.run(
            "tune --exits %s --data %s --out %s --steps 4 --seq-len 16 --micro-batch 2 --lr 0.01 --held-out 0.1 --gate-tokens 64",
            made, tiny.data(), byCommand)
        .succeeded();
    Path byLibrary = temp.resolve("library");
    TunerOptions options =
        TunerOptions.at(1, 2).steps(4, 2, 16).learningRate(0.01).heldOut(0.1).gateTokens(64);
    Exits tuned = model.tuner(options).tune(List.of(tiny.data()), byLibrary);
    for (String file : List.of("exits.safetensors", "exits.json")) {
      assertThat(byLibrary.resolve(file)).hasSameBinaryContentAs(byCommand.resolve(file));
    }
    assertThat(tuned.depths()).containsExactly(1, 2);
    assertThat(
            model
                .generate("The hen", SIX.strategy(Strategy.earlyExit(tuned, 0.001)))
                .forEach(t -> {})
                .tokens())
        .extracting(GeneratedToken::exit)
        .anyMatch(exit -> exit.isPresent());
  }

  @Test
  void mistakesAreOneLine() throws IOException {
    assertThatThrownBy(() -> Sortie.load("no/such/model"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no/such/model");
    assertThatThrownBy(() -> model.exits(temp))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(temp.toString());
    assertThatThrownBy(() -> model.generate("The hen", TextOptions.atMost(1000)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("more than the model's context");
    assertThatThrownBy(
            () ->
                model
                    .tuner(TunerOptions.at(3).steps(1, 1, 4))
                    .tune(List.of(tiny.data()), temp.resolve("out")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("exit depth 3");
    assertThat(temp.resolve("out")).doesNotExist();
    Path mute = shared.resolve("mute");
    dev.sortie.eetuning.TinyModel.write(mute, 1);
    try (Model other = Sortie.load(mute, LoadOptions.DEFAULT.threads(1))) {
      assertThatThrownBy(() -> other.chat("", SIX))
          .isInstanceOf(InputException.class)
          .hasMessageContaining("has no chat template");
    }
  }
}
