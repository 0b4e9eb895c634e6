package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.cli.view.SampleView;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.data.TokenDataset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code sample} on the embedded model: the same bytes however it is run. */
@Timeout(value = 300, unit = TimeUnit.SECONDS)
@Tag("any-kernels")
@Tag("slow")
class SampleCommandContractTest {
  private static final String PROMPTS =
      """
      "prompts": {"openings": ["Once upon a time there was {who}", "The {who#2} said"],
                  "words": {"who": ["king", "fox", "wolf", "queen", "tailor", "giant"]},
                  "must": ["who"], "texts_per_prompt": 3},
      "sampling": {"temperature": 0.9, "top_k": 40, "max_tokens": 10}""";

  /** Two shards have more tokens. */
  private static final int TOKENS = 350;

  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static Path table;
  private static Map<String, String> expected;

  @BeforeAll
  static void sampleAtOnce() throws IOException {
    table = table(shared, "");
    Path out = shared.resolve("out");
    JsonObject result = CommandLineRun.of(words(table, out, TOKENS, "--json")).json();
    assertThat(result.getObject("sampled").getInt("texts", 64, 64)).isEqualTo(64);
    assertThat(result.getObject("kept").getInt("tokens", TOKENS, 640)).isPositive();
    expected = bytes(out);
    assertThat(expected.keySet())
        .contains("manifest.json", "samples/00001.jsonl", "train.jsonl", "train.bin", "test.bin")
        .doesNotContain("samples/00002.jsonl", ".lock");
  }

  private static Path table(Path folder, String filters) throws IOException {
    return Files.writeString(
        folder.resolve("table.json"),
        "{\"format\": \"sortie-prompts\", %s, \"filters\": {\"near_duplicate\": 0.9%s}}"
            .formatted(PROMPTS, filters));
  }

  private static String[] words(Path table, Path out, int tokens, String... more) {
    return words(Path.of("fable"), table, out, tokens, more);
  }

  private static String[] words(Path model, Path table, Path out, int tokens, String... more) {
    List<String> words = new ArrayList<>(List.of("sample", "--model", model.toString()));
    words.addAll(List.of("--prompts", table.toString(), "--out", out.toString()));
    words.addAll(List.of("--tokens", tokens + "", "--validation", "0.2", "--test", "0.2"));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  /** The hash of each file below a folder. */
  private static Map<String, String> bytes(Path folder) throws IOException {
    Map<String, String> hashes = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      files
          .filter(Files::isRegularFile)
          .forEach(f -> hashes.put(folder.relativize(f).toString(), Sha256.of(f)));
    }
    return hashes;
  }

  @ParameterizedTest
  @CsvSource({"1, 2", "5, 1", "40, 1"})
  void theBytesDependOnNeitherBatchNorThreads(String batch, String threads) throws IOException {
    CommandLineRun.of(words(table, temp, TOKENS, "--batch", batch, "--threads", threads))
        .succeeded();
    assertThat(bytes(temp)).isEqualTo(expected);
  }

  /**
   * In integers a pass of any size has the bits of few rows; on no other kernels are they F32's.
   */
  @Test
  void quantisedWeightsAreSampledFromInIntegers() throws IOException {
    Path model = temp.resolve("fable.gguf");
    CommandLineRun.line("convert fable --to gguf --quantize q4_1 --out %s", model).succeeded();
    Path first = temp.resolve("first");
    CommandLineRun.of(words(model, table, first, 100, "--batch", "1")).succeeded();
    Path second = temp.resolve("second");
    CommandLineRun.of(words(model, table, second, 100, "--batch", "40")).succeeded();
    assertThat(bytes(second)).isEqualTo(bytes(first));
    JsonObject of = Json.read(first.resolve("manifest.json")).getObject("of");
    assertThat(of.getString("arithmetic")).isEqualTo("integer");
    CommandLineRun.of(words(model, table, first, 100, "--exact"))
        .assertRefused(1, "manifest.json", "arithmetic is integer", "is f32", "--out");
  }

  private static CommandLineProcess start(Path out) throws IOException {
    return new CommandLineProcess(Map.of(), words(table, out, 1_000_000));
  }

  private static void awaitShard(Path out, int number) throws InterruptedException {
    while (Files.notExists(out.resolve("samples/%05d.jsonl".formatted(number)))) {
      Thread.sleep(20);
    }
  }

  @Test
  void whereNothingWasRefusedTheSummarySaysSo() {
    Map<String, Object> counts = Map.of("texts", 3, "tokens", 30);
    Map<String, Object> manifest =
        Map.of("sampled", counts, "kept", counts, "refused", Map.of(), "files", Map.of());
    assertThat(SampleView.lines(manifest)).endsWith("refused nothing");
  }

  /** Of a killed run the shard that was being written may be left, with or without its name. */
  @Test
  void aRunThatWasKilledContinues() throws IOException, InterruptedException {
    try (CommandLineProcess run = start(temp)) {
      awaitShard(temp, 0);
      ProcessHandle.of(run.pid()).orElseThrow().destroyForcibly();
      run.end();
    }
    Path samples = temp.resolve("samples");
    Files.writeString(samples.resolve("00001.jsonl"), "{\"number\": 12");
    Files.writeString(
        samples.resolve(".00001.jsonl.12345678-1234-1234-1234-123456789abc.tmp"), "{");
    Files.writeString(temp.resolve(".manifest.json.12345678-1234-1234-1234-123456789abc.tmp"), "{");
    CommandLineRun.of(words(table, temp, TOKENS)).succeeded();
    assertThat(bytes(temp)).isEqualTo(expected);
  }

  @Test
  void aRunThatWasInterruptedLeavesFilesOfItsShardsAndContinues()
      throws IOException, InterruptedException {
    try (CommandLineProcess run = start(temp)) {
      awaitShard(temp, 1);
      ProcessHandle.of(run.pid()).orElseThrow().destroy(); // SIGTERM, as Ctrl-C
      CommandLineRun end = run.end();
      assertThat(end.code()).as(end.err()).isIn(1, 130, 143);
      assertThat(end.err()).contains("the same command resumes");
    }
    JsonObject manifest = Json.read(temp.resolve("manifest.json"));
    int shards = manifest.getObjects("shards").size();
    assertThat(manifest.getObject("sampled").getInt("texts", 0, 1 << 20)).isEqualTo(32 * shards);
    assertThat(temp.resolve("train.jsonl")).isNotEmptyFile();
    CommandLineRun fewer = CommandLineRun.of(words(table, temp, TOKENS)).succeeded();
    assertThat(fewer.err()).contains("resumes after " + shards + " shards");
    for (String file :
        List.of("train.jsonl", "train.bin", "validation.jsonl", "samples/00001.jsonl")) {
      assertThat(bytes(temp)).as(file).containsEntry(file, expected.get(file));
    }
  }

  @Test
  void moreTokensContinueAndOtherFiltersSampleNothingAgain() throws IOException {
    CommandLineRun.of(words(table, temp, 100)).succeeded();
    assertThat(bytes(temp.resolve("samples"))).containsOnlyKeys("00000.jsonl");
    CommandLineRun.of(words(table, temp, TOKENS)).succeeded();
    assertThat(bytes(temp)).isEqualTo(expected);
    Path strict = table(temp, ", \"refused\": [\"king\"]");
    JsonObject result = CommandLineRun.of(words(strict, temp, 100, "--json")).json();
    assertThat(result.getObject("refused").getInt("refused", 1, 64)).isPositive();
    assertThat(Files.readString(temp.resolve("train.jsonl"))).doesNotContain("king");
    assertThat(bytes(temp))
        .containsEntry("samples/00000.jsonl", expected.get("samples/00000.jsonl"))
        .containsEntry("samples/00001.jsonl", expected.get("samples/00001.jsonl"));
  }

  /** A shard has all that was sampled; each file has texts of prompts that no other has. */
  @Test
  void textsAreSplitByPrompt() throws IOException {
    Path out = shared.resolve("out");
    Map<String, String> openings = new HashMap<>();
    long number = 0;
    for (String shard : List.of("00000", "00001")) {
      for (JsonObject line : JsonLines.read(out.resolve("samples/" + shard + ".jsonl"))) {
        assertThat(line.getLong("number", 0, 63)).isEqualTo(number);
        assertThat(line.getLong("prompt", 0, 63)).isEqualTo(number++ / 3);
        assertThat(line.getString("text")).startsWith(line.getString("opening"));
        openings.put(plain(line.getString("text")), line.getString("opening"));
      }
    }
    Set<String> seen = new HashSet<>();
    JsonObject manifest = Json.read(out.resolve("manifest.json"));
    int texts = 0;
    for (String file : List.of("train.jsonl", "validation.jsonl", "test.jsonl")) {
      List<String> all =
          JsonLines.read(out.resolve(file)).stream().map(l -> l.getString("text")).toList();
      assertThat(manifest.getObject("files").getObject(file).getInt("texts", 1, 64))
          .isEqualTo(all.size());
      assertThat(manifest.getObject("files").getObject(file).getString("sha256"))
          .isEqualTo(expected.get(file));
      Set<String> here = all.stream().map(openings::get).collect(Collectors.toSet());
      assertThat(here).isNotEmpty().doesNotContainNull().noneMatch(seen::contains);
      seen.addAll(here);
      texts += all.size();
    }
    assertThat(manifest.getObject("kept").getInt("texts", 1, 64)).isEqualTo(texts);
  }

  /** What tune reads: prompt and answer of each kept text as the model saw them. */
  @Test
  void tokenFilesHaveTheIdsOfTheirTexts() throws IOException {
    Path out = shared.resolve("out");
    Map<String, List<Integer>> sampled = new HashMap<>();
    for (String shard : List.of("00000", "00001")) {
      for (JsonObject line : JsonLines.read(out.resolve("samples/" + shard + ".jsonl"))) {
        List<Integer> ids = line.getInts("ids", 0, 1 << 20);
        assertThat(ids).hasSizeGreaterThan(line.getInt("tokens", 1, 10));
        sampled.put(plain(line.getString("text")), ids);
      }
    }
    for (String part : List.of("train", "validation", "test")) {
      int[] expectedIds =
          JsonLines.read(out.resolve(part + ".jsonl")).stream()
              .flatMap(line -> sampled.get(line.getString("text")).stream())
              .mapToInt(Integer::intValue)
              .toArray();
      try (TokenDataset file = TokenDataset.open(out.resolve(part + ".bin"))) {
        int[] ids = file.all();
        assertThat(ids).as(part).isEqualTo(expectedIds);
      }
    }
  }

  /** Of several temperatures the texts take each in turn; 0 is greedy, so equal for one prompt. */
  @Test
  void temperaturesAreTakenInTurns() throws IOException {
    Path turns =
        Files.writeString(
            temp.resolve("turns.json"),
            Files.readString(table)
                .replace("\"temperature\": 0.9", "\"temperature\": [0, 0.9]")
                .replace("\"texts_per_prompt\": 3", "\"texts_per_prompt\": 4")
                .replace("\"near_duplicate\": 0.9", ""));
    CommandLineRun.of(words(turns, temp.resolve("turns"), 100)).succeeded();
    List<String> texts =
        JsonLines.read(temp.resolve("turns/samples/00000.jsonl")).stream()
            .map(line -> line.getString("text"))
            .toList();
    for (int i = 0; i < texts.size(); i += 4) {
      assertThat(texts.get(i)).isEqualTo(texts.get(i + 2)).isNotEqualTo(texts.get(i + 1));
      assertThat(texts.get(i + 1)).isNotEqualTo(texts.get(i + 3));
    }
    Path none =
        Files.writeString(
            temp.resolve("empty.json"),
            Files.readString(table).replace("\"temperature\": 0.9", "\"temperature\": []"));
    CommandLineRun.of(words(none, temp.resolve("empty"), 1))
        .assertRefused(1, "empty.json", "temperature", "at least one");
  }

  private static String plain(String text) {
    return text.lines()
        .map(line -> line.strip().replaceAll(" {2,}", " "))
        .filter(line -> !line.isEmpty())
        .collect(Collectors.joining("\n"));
  }

  @Test
  void whatIsWrongIsOneLine() throws IOException {
    Path out = shared.resolve("out");
    CommandLineRun.of(words(table, out, TOKENS, "--seed", "2"))
        .assertRefused(1, "manifest.json", "seed is 1", "is 2", "--out");
    CommandLineRun.of(words(table, out, TOKENS, "--dtype", "f32"))
        .assertRefused(1, "manifest.json", "matrices", "F32");
    Path other =
        Files.writeString(
            temp.resolve("other.json"), Files.readString(table).replace("0.9,", "0.8,"));
    CommandLineRun.of(words(other, out, TOKENS)).assertRefused(1, "manifest.json", "table_sha256");
    CommandLineRun.of(words(table, temp, 0)).assertRefused(2, "--tokens 0");
    CommandLineRun.of(words(table, temp, 1, "--batch", "0")).assertRefused(2, "--batch 0");
    CommandLineRun.line(
            "sample --model fable --prompts %s --out %s --tokens 1 --validation 0.2 --test 0.9",
            table, temp)
        .assertRefused(2, "--validation 0.2", "--test 0.9");
    Path asks =
        Files.writeString(
            temp.resolve("asks.json"),
            Files.readString(table).replace("\"openings\"", "\"questions\""));
    CommandLineRun.of(words(asks, temp.resolve("asks"), 1))
        .assertRefused(1, "chat template", "questions");
    Path longer =
        Files.writeString(
            temp.resolve("longer.json"),
            Files.readString(table).replace("\"max_tokens\": 10", "\"max_tokens\": 100000"));
    CommandLineRun.of(words(longer, temp.resolve("longer"), 1))
        .assertRefused(1, "sampling.max_tokens of " + longer + " 100000", "context of");
    Path none =
        Files.writeString(
            temp.resolve("none.json"),
            Files.readString(table).replace("sortie-prompts", "prompts"));
    CommandLineRun.of(words(none, temp, 1))
        .assertRefused(1, "none.json", "format", "sortie-prompts");
    Path hot =
        Files.writeString(
            temp.resolve("hot.json"), Files.readString(table).replace("0.9,", "900,"));
    CommandLineRun.of(words(hot, temp, 1)).assertRefused(1, "hot.json", "temperature", "900");
    Path all = table(Files.createDirectory(temp.resolve("all")), ", \"words\": [900, 901]");
    CommandLineRun run = CommandLineRun.of(words(all, temp.resolve("none"), 1));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().lines().toList().getLast())
        .contains("of 512 texts none passes", "words=512");
  }

  /** Of folders that earlier versions began, which did not write what prompts are made with. */
  @Test
  void anotherChatTemplateOrTokenizerIsRefusedWhereItIsKnown() throws IOException {
    Path model = TinyModel.write(temp.resolve("model"), 1);
    Path template = model.resolve("chat_template.jinja");
    Files.writeString(template, "{% for m in messages %}{{ m.content }}{% endfor %}");
    Path asks =
        Files.writeString(
            temp.resolve("asks.json"),
            """
            {"format": "sortie-prompts",
             "prompts": {"questions": ["The {who} ran?"], "words": {"who": ["fox", "hen"]}},
             "sampling": {"temperature": 0.9, "max_tokens": 6}, "filters": {}}""");
    Path out = temp.resolve("out");
    CommandLineRun.of(words(model, asks, out, 20)).succeeded();
    Files.writeString(template, "{% for m in messages %}> {{ m.content }}{% endfor %}");
    CommandLineRun.of(words(model, asks, out, 400))
        .assertRefused(1, "manifest.json", "chat_template_sha256 is", "name another --out");

    Path manifest = out.resolve("manifest.json");
    Files.writeString(
        manifest,
        Files.readString(manifest)
            .replaceAll("(?s),\\s*\"tokenizer_sha256\".*?\"end_ids\": \\[.*?]", ""));
    assertThat(manifest).content().doesNotContain("chat_template", "tokenizer", "end_ids");
    CommandLineRun.of(words(model, asks, out, 400)).succeeded();
    assertThat(manifest).content().contains("chat_template_sha256", "tokenizer_sha256", "end_ids");

    Path tokenizer = model.resolve("tokenizer.json");
    Files.writeString(tokenizer, Files.readString(tokenizer) + "\n");
    CommandLineRun.of(words(model, asks, out, 800))
        .assertRefused(1, "manifest.json", "tokenizer_sha256 is");
  }

  @Test
  void aShardThatWasChangedIsRefused() throws IOException {
    CommandLineRun.of(words(table, temp, 100)).succeeded();
    Path shard = temp.resolve("samples/00000.jsonl");
    Files.writeString(shard, Files.readString(shard).replace("king", "lord"));
    CommandLineRun.of(words(table, temp, 100))
        .assertRefused(1, "00000.jsonl", "SHA-256", "restore");
  }
}
