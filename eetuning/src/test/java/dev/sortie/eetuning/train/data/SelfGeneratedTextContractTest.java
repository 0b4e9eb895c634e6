package dev.sortie.eetuning.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.Softmax;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelfGeneratedTextContractTest {
  private static final String TEMPLATE =
      "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}"
          + "{% if add_generation_prompt %}<assistant> {% endif %}";

  @TempDir private Path temp;

  private final Device device = Device.cpu(1);
  private Path folder;

  @BeforeEach
  void write() {
    folder = TinyModel.write(temp.resolve("model"), 1);
  }

  @AfterEach
  void close() {
    device.close();
  }

  private LanguageModel load() {
    return LanguageModel.load(folder, Precision.F32, device);
  }

  private SelfGeneratedText.Settings settings(long seed, Path... openings) {
    return new SelfGeneratedText.Settings(10_000, 0.8, seed, List.of(openings));
  }

  private int[] ids(Path file) {
    try (TokenDataset data = TokenDataset.open(file)) {
      int[] ids = new int[(int) data.size()];
      data.read(0, ids);
      return ids;
    }
  }

  @Test
  void theSameSettingsGiveTheSameFileAndAnotherSeedAnother() throws IOException {
    try (LanguageModel model = load()) {
      List<Long> progress = new ArrayList<>();
      SelfGeneratedText text = new SelfGeneratedText(model, settings(1), device);
      Path one = text.file(temp.resolve("a"), progress::add);
      assertThat(ids(one)).hasSize((int) text.tokens()).hasSizeGreaterThanOrEqualTo(10_000);
      assertThat(progress).isSorted().last().isEqualTo(text.tokens());
      Path again =
          new SelfGeneratedText(model, settings(1), device).file(temp.resolve("b"), n -> {});
      assertThat(again).hasSameBinaryContentAs(one);
      // it is there: nothing is sampled
      text.file(
          temp.resolve("a"),
          n -> {
            throw new AssertionError("sampled again");
          });
      Path other =
          new SelfGeneratedText(model, settings(2), device).file(temp.resolve("a"), n -> {});
      assertThat(other).isNotEqualTo(one);
      assertThat(ids(other)).isNotEqualTo(ids(one));
    }
  }

  @Test
  void anotherTemplateTokenizerOrEndHasAFileOfItsOwn() throws IOException {
    Set<Path> files = new HashSet<>();
    files.add(sampled());
    Path template = Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
    files.add(sampled());
    Files.writeString(template, TEMPLATE.replace("<assistant>", "<bot>"));
    files.add(sampled());
    Path tokenizer = folder.resolve("tokenizer.json");
    Files.writeString(tokenizer, Files.readString(tokenizer) + "\n");
    files.add(sampled());
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [7, 9]}");
    files.add(sampled());
    assertThat(files).hasSize(5);
    assertThat(files).contains(sampled());
  }

  private Path sampled() {
    SelfGeneratedText.Settings few = new SelfGeneratedText.Settings(1, 0.8, 1, List.of());
    try (LanguageModel model = load()) {
      return new SelfGeneratedText(model, few, device).file(temp.resolve("cache"), n -> {});
    }
  }

  /** What a kill leaves: batches that are whole. */
  @Test
  void aBatchThatIsDoneIsNotSampledAgain() throws IOException {
    try (LanguageModel model = load()) {
      SelfGeneratedText text = new SelfGeneratedText(model, settings(1), device);
      Path all = text.file(temp.resolve("a"), n -> {});
      byte[] expected = Files.readAllBytes(all);
      Files.delete(all);
      Files.delete(all.resolveSibling("batch-0001.bin"));
      List<Long> progress = new ArrayList<>();
      text.file(temp.resolve("a"), progress::add);
      assertThat(all).hasBinaryContent(expected);
      assertThat(progress).isNotEmpty().allMatch(n -> n > text.tokens() / 2);
    }
  }

  @Test
  void conversationsBeginAsTheTemplateSaysAndTextsAsTheFilesDo() throws IOException {
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
    Path file = Files.writeString(temp.resolve("text.txt"), TinyModel.TEXT.repeat(5));
    try (LanguageModel model = load()) {
      String whole = model.tokenizer().decode(model.tokenizer().encode(TinyModel.TEXT.repeat(5)));
      SelfGeneratedPrompts openings =
          new SelfGeneratedPrompts(model, List.of(file), new Random(1, 0));
      Set<String> questions = new HashSet<>();
      int words = 0;
      for (int row = 0; row < 60; row++) {
        String text = model.tokenizer().decode(openings.of(row, 0));
        if (text.equals("<user> ")) {
          assertThat(row % 6).isEqualTo(2);
        } else if (text.startsWith("<user> ")) {
          assertThat(text).endsWith("<assistant> ");
          questions.add(text);
        } else {
          assertThat(whole).contains(text.strip());
          words++;
        }
        assertThat(openings.of(row, 0)).isEqualTo(openings.of(row, 0));
      }
      assertThat(questions).hasSizeGreaterThan(10);
      assertThat(words).isEqualTo(30);
    }
  }

  @Test
  void withoutTemplateAndFilesTextsBeginWithAWord() {
    try (LanguageModel model = load()) {
      SelfGeneratedPrompts openings = new SelfGeneratedPrompts(model, List.of(), new Random(1, 0));
      assertThat(Stream.of(0, 1, 2, 3, 4, 5).map(row -> openings.of(row, 0)))
          .allMatch(ids -> ids.length == 1);
    }
  }

  /** Rows keep their openings, and what follows is drawn from the model's own distribution. */
  @Test
  void aTextThatEndsIsFollowedByTheNextOpening() {
    try (LanguageModel model = load()) {
      int vocab = model.config().decoder().vocab();
      Set<Integer> ends = new HashSet<>();
      for (int id = 0; id < vocab; id += 8) {
        ends.add(id);
      }
      ParallelSampler sampler =
          new ParallelSampler(model.decoder(), new SamplingOptions(1, 0, 1, 0, 1, 3), device);
      int[][] texts =
          sampler.texts((row, nth) -> new int[] {row + 1, nth + 9}, 5, 40, ends, 0, n -> {});
      int openings = 0;
      for (int row = 0; row < texts.length; row++) {
        int nth = 0;
        int at = 0;
        while (at >= 0 && at + 1 < texts[row].length) {
          assertThat(texts[row][at]).isEqualTo(row + 1);
          assertThat(texts[row][at + 1]).isEqualTo(nth++ + 9);
          at = nextEnd(texts[row], at + 2, ends);
          openings++;
        }
      }
      assertThat(openings).isGreaterThan(10);
    }
  }

  /** The position after the next end, negative if there is none. */
  private static int nextEnd(int[] row, int from, Set<Integer> ends) {
    for (int i = from; i < row.length; i++) {
      if (ends.contains(row[i])) {
        return i + 1;
      }
    }
    return -1;
  }

  @Test
  void tokensAreDrawnByTheirProbabilities() {
    try (LanguageModel model = load()) {
      ParallelSampler sampler =
          new ParallelSampler(model.decoder(), new SamplingOptions(1, 0, 1, 0, 1, 3), device);
      int rows = 64;
      int[] counts = new int[model.config().decoder().vocab()];
      for (int stream = 0; stream < 60; stream++) {
        for (int[] row :
            sampler.texts((r, n) -> new int[] {7}, rows, 2, Set.of(), stream, n -> {})) {
          counts[row[1]]++;
        }
      }
      double n = Arrays.stream(counts).sum();
      double[] p = probabilities(model);
      double chi = 0;
      int classes = 0;
      for (int i = 0; i < p.length; i++) {
        if (p[i] * n > 10) {
          chi += Math.pow(counts[i] - p[i] * n, 2) / (p[i] * n);
          classes++;
        }
      }
      // five standard deviations above the mean of chi-square
      assertThat(classes).isGreaterThan(5);
      assertThat(chi).isLessThan(classes + 5 * Math.sqrt(2.0 * classes));
    }
  }

  private double[] probabilities(LanguageModel model) {
    try (FullDepth full = new FullDepth(model.decoder(), 4, device)) {
      return Softmax.of(full.prefill(new int[] {7}).logits());
    }
  }

  @Test
  void badNumbersAreRefused() {
    assertThatThrownBy(() -> new SelfGeneratedText.Settings(0, 0.8, 1, List.of()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--self-tokens 0");
    assertThatThrownBy(() -> new SelfGeneratedText.Settings(1, 0, 1, List.of()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--self-temperature 0");
  }
}
