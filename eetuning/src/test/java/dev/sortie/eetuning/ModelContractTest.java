package dev.sortie.eetuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.batch.BatchDecoder;
import dev.sortie.eetuning.decode.batch.BatchSequence;
import dev.sortie.eetuning.decode.batch.PagePool;
import dev.sortie.eetuning.decode.batch.PromptEmbedding;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an application may rely on. */
class ModelContractTest {
  private static final TextOptions EIGHT = TextOptions.atMost(8);

  @TempDir private static Path shared;

  private static Path folder;

  @BeforeAll
  static void makeModel() {
    folder = TinyModel.write(shared.resolve("model"), 1);
  }

  private static Model load() {
    return Sortie.load(folder, LoadOptions.DEFAULT.threads(1));
  }

  @Test
  void aRunGivesTheSameTextEachTimeAndItsTokensAreTheText() {
    try (Model model = load()) {
      TextRun run = model.generate("The fox", EIGHT.sampling(1.0, 3));
      StringBuilder pieces = new StringBuilder();
      Generation first = run.forEach(token -> pieces.append(token.text()));
      assertThat(first.text()).isEqualTo(pieces.toString()).isEqualTo(run.text());
      assertThat(first.promptIds()).hasSize(run.promptTokens());
      assertThat(first.tokens()).hasSizeBetween(1, 8);
    }
  }

  @Test
  void anotherTemperatureLeavesAllElse() {
    SamplingOptions all = new SamplingOptions(0.5, 40, 0.9, 0.1, 1.3, false, 1);
    assertThat(EIGHT.sampling(all).sampling(0.8, 2).text().sampling())
        .isEqualTo(new SamplingOptions(0.8, 40, 0.9, 0.1, 1.3, false, 2));
  }

  @Test
  void aRunEndsWhereItIsCancelled() {
    try (Model model = load()) {
      List<GeneratedToken> heard = new ArrayList<>();
      Generation cut =
          model.generate("The fox", EIGHT).forEach(heard::add, () -> heard.size() == 1);
      assertThat(cut.finish()).isEqualTo("cancelled");
      // asked before the listener learns of the token
      assertThat(cut.tokens()).isEqualTo(heard).hasSize(2);
    }
  }

  @Test
  void threadsTakeTurnsAndEachGetsItsOwnText() throws Exception {
    try (Model model = load();
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<String> prompts = List.of("The fox", "The hen", "The tree", "The hill");
      List<String> alone = prompts.stream().map(p -> model.generate(p, EIGHT).text()).toList();
      List<Callable<String>> work = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        prompts.forEach(p -> work.add(() -> model.generate(p, EIGHT).text()));
      }
      List<Future<String>> done = threads.invokeAll(work);
      for (int i = 0; i < done.size(); i++) {
        assertThat(done.get(i).get()).isEqualTo(alone.get(i % alone.size()));
      }
    }
  }

  /** The server reads prompts in pieces, into pages of a pool. */
  @Test
  void anEmbeddingHasTheBitsOfTheServers() {
    try (Model model = load()) {
      LanguageModel m = model.languageModel();
      String text = TinyModel.TEXT.substring(0, 110);
      int[] prompt = Prompt.encode(m, text, EncodeOptions.DEFAULT);
      assertThat(prompt).hasSizeBetween(35, TinyModel.CONTEXT);
      PromptEmbedding served = new PromptEmbedding(m.decoder());
      try (BatchDecoder decoder = new BatchDecoder(m.decoder(), m.device());
          PagePool pool = new PagePool(m.decoder(), Exits.none(), 4, 20, true);
          BatchSequence sequence =
              decoder
                  .open(
                      pool,
                      new MaxProbability(1),
                      0,
                      prompt,
                      prompt.length,
                      Optional.of(served),
                      () -> Drafter.NONE)
                  .orElseThrow()) {
        while (decoder.readPrompt(sequence, 34).isEmpty()) {
          assertThat(sequence.position()).isLessThan(prompt.length);
        }
      }
      float[] vector = model.embed(text);
      assertThat(vector).isEqualTo(served.vector()).hasSize(16);
      assertThat(model.embed("The hen")).isNotEqualTo(vector);
    }
  }

  /** As on the command line. */
  @Test
  void theDraftHeadOfTheFinalLayerIsJudgedLikeAnExit() {
    try (Model model = load();
        NativeArena arena = new NativeArena("exits")) {
      Decoder decoder = model.languageModel().decoder();
      ExitSpec spec = new ExitSpec(1, ExitArchitecture.NORM, false, 60);
      Exit exit = ExitInit.COPY.build(spec, decoder, 1, arena, model.device().kernels());
      ActiveExits active = model.exitsThatPay(new Exits("", Map.of(), List.of(exit)));
      for (int depth : List.of(1, decoder.config().layers())) {
        assertThat(active)
            .as("exit %d", depth)
            .matches(
                a ->
                    a.exits().depths().contains(depth)
                        || a.remarks().stream().anyMatch(r -> r.startsWith("exit " + depth + " ")));
      }
    }
  }

  /** Random weights would write anything but JSON. */
  @Test
  void anAnswerHasTheFormThatItIsHeldTo() throws IOException {
    Path template =
        Files.writeString(shared.resolve("t.jinja"), "{{ tools }} {{ messages[0].content }}");
    try (Model model = Sortie.load(folder, LoadOptions.DEFAULT.threads(1).chatTemplate(template))) {
      String either = "{\"enum\": [{\"fox\": 1}, {\"hen\": 2}]}";
      int[] prompt =
          model.prompt(
              List.of(ChatMessage.of("user", "The fox")),
              ChatOptions.DEFAULT.with(List.of(Map.of("name", "f")), Map.of()));
      assertThat(model.tokenizer().decode(prompt, false)).contains("f").endsWith("The fox");
      TextOptions held = TextOptions.atMost(24).sampling(1.0, 7).rule(model.answerSchema(either));
      Generation answer = model.answer(prompt, held).forEach(token -> {});
      assertThat(answer.text().replaceAll("\\s", "")).isIn("{\"fox\":1}", "{\"hen\":2}");
      assertThat(answer.finish()).isEqualTo("stop");
      for (String bad :
          List.of("{\"type\": \"fox\"}", "{", "{\"type\": \"string\", \"not\": {}}")) {
        assertThatThrownBy(() -> model.answerSchema(bad))
            .isInstanceOf(InputException.class)
            .hasMessageContaining("schema")
            .message()
            .doesNotContain("\n");
      }
    }
  }

  @Test
  void whatIsUsedAfterCloseFails() {
    Model model = load();
    TextRun run = model.generate("The fox", EIGHT);
    model.close();
    assertThatThrownBy(run::text).isInstanceOf(IllegalStateException.class);
  }

  /** They read its weights: with another model their answers would mean nothing. */
  @Test
  void exitsOfAnotherModelAreRefusedWhereverTheyAreUsed() {
    try (Model one = load();
        Model other = load();
        NativeArena arena = new NativeArena("exits")) {
      LanguageModel m = one.languageModel();
      Exit exit =
          ExitInit.COPY.build(
              new ExitSpec(1, ExitArchitecture.NORM, true),
              m.decoder(),
              1,
              arena,
              m.device().kernels());
      Exits exits = new Exits(m.sha256(), Map.of(), List.of(exit));
      List<Callable<?>> uses =
          List.of(
              () ->
                  other
                      .generate(
                          "The fox", new TextOptions(EIGHT.text(), Strategy.earlyExit(exits, 0.5)))
                      .text(),
              () ->
                  other
                      .generate(
                          "The fox", new TextOptions(EIGHT.text(), Strategy.speculative(exits)))
                      .text(),
              () -> other.score("The fox and the hen", exits));
      for (Callable<?> use : uses) {
        assertThatThrownBy(use::call)
            .isInstanceOf(InputException.class)
            .hasMessageContaining("another model");
      }
      assertThat(
              one.generate("The fox", new TextOptions(EIGHT.text(), Strategy.earlyExit(exits, 0.5)))
                  .text())
          .isNotEmpty();
    }
  }

  @Test
  void idsThatAreNoTokensAreRefused() {
    try (Model model = load()) {
      for (int id : new int[] {-1, 1_000_000}) {
        assertThatThrownBy(() -> model.answer(new int[] {1, id}, EIGHT))
            .isInstanceOf(InputException.class)
            .hasMessageContainingAll("id 1 of the prompt is " + id);
      }
    }
  }

  /** Same weights, other rotary frequencies: other hidden states. */
  @Test
  void theHashOfStatesDependsOnTheConfigurationToo() {
    Path altered = Altered.copy(folder, shared.resolve("altered"));
    Altered.text(
        altered.resolve("config.json"), "\"rope_theta\": 10000.0", "\"rope_theta\": 777.0");
    try (Model one = load();
        Model same = load();
        Model other = Sortie.load(altered, LoadOptions.DEFAULT.threads(1))) {
      assertThat(other.languageModel().sha256()).isEqualTo(one.languageModel().sha256());
      assertThat(same.languageModel().statesSha256()).isEqualTo(one.languageModel().statesSha256());
      assertThat(other.languageModel().statesSha256())
          .isNotEqualTo(one.languageModel().statesSha256());
    }
  }

  /** The file's head would be left out, and other tokens come out. */
  @Test
  void aHeadThatIsNotTheTableItIsSaidToBeIsRefused() {
    Path tied = Altered.copy(folder, shared.resolve("tied"));
    Path weights = tied.resolve("model.safetensors");
    Altered.again(weights, "model.embed_tokens.weight", "lm_head.weight");
    Sortie.load(tied, LoadOptions.DEFAULT.threads(1)).close();
    Altered.set(weights, "lm_head.weight", 7, 0.5);
    assertThatThrownBy(() -> Sortie.load(tied, LoadOptions.DEFAULT.threads(1)))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll(
            weights.toString(), "lm_head.weight", "tie_word_embeddings to false");
  }

  /** Java closes the files that an interrupted thread reads: nothing is wrong with them. */
  @Test
  void anInterruptedThreadIsToldSo() {
    Sortie.load("fable", LoadOptions.DEFAULT.threads(1)).close();
    for (String name : List.of("fable", folder.toString())) {
      Thread.currentThread().interrupt();
      try {
        assertThatThrownBy(() -> Sortie.load(name, LoadOptions.DEFAULT.threads(1)).close())
            .isInstanceOf(InputException.class)
            .hasMessageContaining("cannot be read: the thread was interrupted");
      } finally {
        assertThat(Thread.interrupted()).isTrue();
      }
    }
  }
}
