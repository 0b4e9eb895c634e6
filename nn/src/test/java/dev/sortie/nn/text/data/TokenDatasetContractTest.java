package dev.sortie.nn.text.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.Fixtures;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TokenizerSpec;
import dev.sortie.nn.text.TrainingText;
import dev.sortie.nn.text.model.BpeOptions;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PostProcessor;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-kernels")
class TokenDatasetContractTest {
  @TempDir Path folder;

  private final SubwordTokenizer tokenizer = Fixtures.tokenizer("sentencepiece");

  private Path text(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  private TokenDataset build(Tokenizer with, String... texts) throws IOException {
    Path[] files = new Path[texts.length];
    for (int i = 0; i < texts.length; i++) {
      files[i] = text(i + ".txt", texts[i]);
    }
    Path out = folder.resolve("data.tokens");
    long count = TokenDataset.build(with, List.of(files), out);
    TokenDataset dataset = TokenDataset.open(out);
    assertThat(dataset.size()).isEqualTo(count);
    return dataset;
  }

  private static int[] all(TokenDataset dataset) {
    int[] ids = new int[(int) dataset.size()];
    dataset.read(0, ids);
    return ids;
  }

  @Test
  void eachTextIsADocumentWithBosAndOneEos() throws IOException {
    try (TokenDataset dataset = build(tokenizer, "one", "two 2")) {
      assertThat(dataset.vocabSize()).isEqualTo(tokenizer.vocabSize());
      int[] ids = all(dataset);
      int[] first = tokenizer.encode("one");
      assertThat(first).startsWith(1).endsWith(2);
      assertThat(Arrays.copyOf(ids, first.length)).containsExactly(first);
      assertThat(Arrays.copyOfRange(ids, first.length, ids.length))
          .containsExactly(tokenizer.encode("two 2"));
    }
    Tokenizer smol = Fixtures.tokenizer("smollm");
    try (TokenDataset dataset =
        build(smol.withSpecials(OptionalInt.empty(), OptionalInt.of(0)), "one")) {
      int[] plain = smol.encode("one");
      assertThat(all(dataset)).startsWith(plain).endsWith(0).hasSize(plain.length + 1);
    }
    assertThat(folder).isDirectoryNotContaining("glob:**.part");
  }

  @Test
  void eachLineOfAJsonLinesFileIsADocument() throws IOException {
    Path lines =
        text(
            "set.jsonl",
            """
            {"text": "one", "source": {"book": 1}}

            {"id": 2, "text": "two 2\\nand \\u00e9"}""");
    Path out = folder.resolve("lines.tokens");
    TokenDataset.build(tokenizer, List.of(lines), out);
    Path expected = folder.resolve("texts.tokens");
    TokenDataset.build(
        tokenizer, List.of(text("a.txt", "one"), text("b.txt", "two 2\nand é")), expected);
    assertThat(out).hasSameBinaryContentAs(expected);
    assertThat(TrainingText.join(lines)).isEqualTo("one\ntwo 2\nand é");

    BpeTrainer.Options options = new BpeTrainer.Options(270, List.of(), false, 2);
    String story = "the king and the queen and the kitten\n".repeat(9);
    Path stories = text("stories.jsonl", ("{\"text\": " + Json.compact(story) + "}\n").repeat(2));
    Path twice = text("story.txt", story);
    SubwordTokenizer learnt = new BpeTrainer(options).addFiles(List.of(stories)).train();
    assertThat(learnt.encode(story))
        .isEqualTo(new BpeTrainer(options).addFiles(List.of(twice, twice)).train().encode(story));
  }

  @Test
  void aLongJsonLineIsReadWhole() throws IOException {
    String text = "the quick brown fox 123 ".repeat(20_000);
    Path line = text("long.jsonl", "{\"text\": \"" + text + "\"}\n");
    Path out = folder.resolve("long.tokens");
    TokenDataset.build(tokenizer, List.of(line), out);
    try (TokenDataset dataset = TokenDataset.open(out)) {
      assertThat(all(dataset)).isEqualTo(tokenizer.encode(text));
    }
  }

  @Test
  void whatIsNoTextInAJsonLinesFileIsNamed() throws IOException {
    Path out = folder.resolve("data.tokens");
    for (List<String> bad :
        List.of(
            List.of("\n \n", "set.jsonl: has blank lines only"),
            List.of(
                "{\"text\": \"a\"}\n{\"text\": 3}",
                "set.jsonl line 2: field \"text\" is 3, expected a string"),
            List.of("{\"id\": 3}", "set.jsonl line 1: field \"text\" is missing"),
            List.of("{\"text\": \"a\"\n", "set.jsonl line 1"))) {
      Path file = text("set.jsonl", bad.getFirst());
      assertThatThrownBy(() -> TokenDataset.build(tokenizer, List.of(file), out))
          .isInstanceOf(InputException.class)
          .hasMessageContaining(bad.getLast());
      assertThat(out).doesNotExist();
    }
  }

  @Test
  void longTextsAndWideIdsComeBack() throws IOException {
    String text = "the quick brown fox 123 ".repeat(20_000);
    try (TokenDataset dataset = build(tokenizer, text)) {
      assertThat(all(dataset)).isEqualTo(tokenizer.encode(text));
    }
    List<String> tokens =
        IntStream.rangeClosed(0, 66_024)
            .mapToObj(id -> id < 65_999 ? "<" + id + ">" : Character.toString('A' + id - 65_999))
            .toList();
    Vocabulary vocabulary = new Vocabulary("wide", tokens);
    Tokenizer wide =
        new SubwordTokenizer(
            new TokenizerSpec(
                "wide",
                vocabulary,
                new SubwordModel.Bpe(
                    MergeTable.of("wide", vocabulary, List.of(), List.of()),
                    new BpeOptions(false, false, false, false, OptionalInt.empty())),
                List.of(),
                new Normalizer.None(),
                new PreTokenizer.None(),
                TokenDecoding.of(),
                PostProcessor.NONE,
                OptionalInt.empty(),
                OptionalInt.empty()));
    try (TokenDataset dataset = build(wide, "AZ")) {
      assertThat(all(dataset)).containsExactly(65_999, 66_024);
    }
  }

  @Test
  void badTextsAreNamedAndLeaveNothingBehind() throws IOException {
    Path out = folder.resolve("out.tokens");
    Path empty = text("empty.txt", "");
    Path latin = Files.write(folder.resolve("latin.txt"), new byte[] {'a', 'b', (byte) 0xE9, ' '});
    Path missing = folder.resolve("missing.txt");
    Path good = text("good.txt", "good");
    for (Path bad : List.of(empty, latin, missing, folder)) {
      assertThatThrownBy(() -> TokenDataset.build(tokenizer, List.of(good, bad), out))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith(bad + ": ");
    }
    assertThatThrownBy(() -> TextFiles.read(latin)).hasMessageContainingAll("0xE9", "offset 2");
    assertThatThrownBy(() -> TokenDataset.build(tokenizer, List.of(), out))
        .isInstanceOf(InputException.class);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(empty, latin, good);
    }
  }

  @Test
  void damagedFilesAreRefused() throws IOException {
    build(tokenizer, "some text").close();
    Path file = folder.resolve("data.tokens");
    byte[] whole = Files.readAllBytes(file);
    refused(Arrays.copyOf(whole, 10), "header of 64");
    refused(Arrays.copyOf(whole, whole.length - 1), "count");
    refused(Arrays.copyOf(whole, whole.length + 2), "count");
    refused(changed(whole, 0), "magic");
    refused(changed(whole, 8), "version");
    refused(changed(whole, 12), "bytes an id");
    refused(changed(whole, 19), "vocabulary size");
    refused(changed(whole, 31), "count");
    Files.write(file, changed(whole, 65));
    try (TokenDataset dataset = TokenDataset.open(file)) {
      assertThatThrownBy(() -> all(dataset))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("position 0", "vocabulary");
    }
  }

  private static byte[] changed(byte[] bytes, int at) {
    byte[] copy = bytes.clone();
    copy[at] ^= 0x7F;
    return copy;
  }

  private void refused(byte[] bytes, String part) throws IOException {
    Path file = Files.write(folder.resolve("damaged.tokens"), bytes);
    assertThatThrownBy(() -> TokenDataset.open(file))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(part);
  }

  @Test
  void readingPastTheEndOrAfterCloseFails() throws IOException {
    TokenDataset dataset = build(tokenizer, "some text");
    assertThatThrownBy(() -> dataset.read(dataset.size() - 1, new int[2]))
        .isInstanceOf(IndexOutOfBoundsException.class);
    dataset.close();
    assertThatThrownBy(() -> dataset.read(0, new int[1])).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void everyTrainingWindowComesOnceAnEpochAndNoneIsHeldOut() throws IOException {
    try (TokenDataset dataset = build(tokenizer, Fixtures.text("training.txt"))) {
      TokenWindows windows = new TokenWindows(dataset, 16, 0.1, 5);
      long n = windows.trainingWindows();
      assertThat(n + windows.heldOutWindows()).isEqualTo((dataset.size() - 1) / 16);
      assertThat(windows.heldOutWindows()).isGreaterThan(5);
      int[] ids = all(dataset);
      Set<List<Integer>> expected = new HashSet<>();
      for (int w = 0; w < n; w++) {
        expected.add(list(Arrays.copyOfRange(ids, w * 16, w * 16 + 17)));
      }
      assertThat(expected).as("windows all differ").hasSize((int) n);
      for (int epoch = 0; epoch < 3; epoch++) {
        Set<List<Integer>> seen = new HashSet<>();
        for (long i = epoch * n; i < (epoch + 1) * n; i++) {
          seen.add(list(windows.window(i)));
        }
        assertThat(seen).isEqualTo(expected);
      }
      int start = (int) n * 16;
      assertThat(windows.heldOut(0)).containsExactly(Arrays.copyOfRange(ids, start, start + 17));
      assertThat(windows.batch(3, 2)[1]).containsExactly(windows.window(4));
    }
  }

  @Test
  void theOrderDependsOnSeedAndEpochOnly() throws IOException {
    try (TokenDataset dataset = build(tokenizer, Fixtures.text("training.txt"))) {
      TokenWindows windows = new TokenWindows(dataset, 16, 0, 5);
      int n = (int) windows.trainingWindows();
      int[][] first = windows.batch(0, n);
      assertThat(new TokenWindows(dataset, 16, 0, 5).batch(0, n)).isDeepEqualTo(first);
      assertThat(new TokenWindows(dataset, 16, 0, 6).batch(0, n)).isNotEqualTo(first);
      assertThat(windows.batch(n, n)).isNotEqualTo(first);
    }
  }

  @Test
  void tooLittleTextIsRefused() throws IOException {
    try (TokenDataset dataset = build(tokenizer, "short")) {
      assertThatThrownBy(() -> new TokenWindows(dataset, 100, 0.1, 0))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("data.tokens", "100");
    }
  }

  private static List<Integer> list(int[] ids) {
    return Arrays.stream(ids).boxed().toList();
  }

  /** Two bytes of a larger id would be another token. */
  @Test
  void idsThatAreNoTokensAreNotWritten() {
    Path out = folder.resolve("ids.bin");
    for (int id : new int[] {65_541, 1000, -1}) {
      assertThatThrownBy(() -> TokenDataset.write(Stream.of(new int[] {1, id}), 1000, out))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("token " + id, "0 to 999");
      assertThat(out).doesNotExist();
    }
  }
}
