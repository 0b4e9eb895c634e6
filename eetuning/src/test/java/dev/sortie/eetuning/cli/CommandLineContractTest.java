package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.format.JsonObject;
import dev.sortie.nn.format.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The way of a user through the commands, and the shapes of their JSON. */
class CommandLineContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static Path model;
  private static Path data;
  private static Path exits;

  @BeforeAll
  static void makeModel() throws IOException {
    model = TinyModel.write(shared.resolve("model"), 1);
    data = Files.writeString(shared.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    exits = shared.resolve("exits");
    addExits("1,2", exits).succeeded();
  }

  private static CommandLineRun run(String command, Object... args) {
    Stream<String> rest = Arrays.stream(args).map(Object::toString);
    return CommandLineRun.of(Stream.concat(Stream.of(command), rest).toArray(String[]::new));
  }

  private static CommandLineRun addExits(String depths, Path out) {
    return run(
        "add-exits", "--threads", 1, "--model", model, "--at", depths, "--out", out, "--seed", 3);
  }

  private static CommandLineRun tune(Path from, Path out, Object... more) {
    Stream<Object> first =
        Stream.of(
            "--threads",
            1,
            "--model",
            model,
            "--exits",
            from,
            "--data",
            data,
            "--out",
            out,
            "--steps",
            4,
            "--seq-len",
            16,
            "--micro-batch",
            2,
            "--global-batch",
            4,
            "--lr",
            0.01,
            "--held-out",
            0.1,
            "--checkpoint-every",
            2);
    return run("tune", Stream.concat(first, Arrays.stream(more)).toArray());
  }

  private static List<Object> heads(JsonObject score) {
    return score.getObjects("heads").stream().map(h -> h.fields().get("exit")).toList();
  }

  private static void assertFields(JsonObject object, String... fields) {
    assertThat(object.fields().keySet()).contains(fields);
  }

  @Test
  void addExitsWritesBothFilesAndSaysWhatTheyHold() {
    CommandLineRun run = addExits("2", temp.resolve("new")).succeeded();
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("exit after layer 2: mlp, own head");
    assertThat(Altered.files(temp.resolve("new")))
        .containsExactly("exits.json", "exits.safetensors");
  }

  @Test
  void aConvertedModelIsTheSameModelToEveryCommand() {
    Path gguf = temp.resolve("model.gguf");
    run("convert", model, "--threads", 1, "--out", gguf).succeeded();
    Path back = temp.resolve("back");
    run("convert", gguf, "--threads", 1, "--out", back, "--to", "safetensors").succeeded();
    String expected = generated(model);
    assertThat(generated(gguf)).isEqualTo(expected);
    assertThat(generated(back)).isEqualTo(expected);
    Path exitsOfGguf = temp.resolve("exits");
    run("add-exits", "--threads", 1, "--model", gguf, "--at", 1, "--out", exitsOfGguf).succeeded();
    run(
            "tune",
            "--threads",
            1,
            "--model",
            gguf,
            "--dtype",
            "file",
            "--exits",
            exitsOfGguf,
            "--data",
            data,
            "--out",
            temp.resolve("tuned"),
            "--steps",
            2,
            "--seq-len",
            16,
            "--micro-batch",
            2)
        .succeeded();
    assertThat(
            heads(
                run(
                        "score",
                        "--threads",
                        1,
                        "--model",
                        gguf,
                        "--exits",
                        temp.resolve("tuned"),
                        "--file",
                        data,
                        "--json")
                    .json()))
        .hasSize(2);
  }

  private static String generated(Path from) {
    return run(
            "generate",
            "--threads",
            1,
            "--model",
            from,
            "--prompt",
            "The hen",
            "--temperature",
            0,
            "--max-tokens",
            8,
            "--json")
        .json()
        .getString("text");
  }

  @Test
  void tuneTeachesTheExitsAndReportsAsJson() {
    Path out = temp.resolve("tuned");
    JsonObject json = tune(exits, out, "--json").json();
    assertFields(
        json,
        "steps",
        "losses",
        "validation",
        "tokens_per_second",
        "peak_resident_bytes",
        "exits_sha256");
    assertThat(json.getDouble("peak_resident_bytes", 0, 1e15)).isGreaterThan(1 << 20);
    assertThat(json.getInt("steps", 4, 4)).isEqualTo(4);
    assertThat(json.getObject("losses").fields().keySet()).containsExactly("1", "2");
    assertThat(json.getObject("validation").fields().keySet()).containsExactly("1", "2");
    assertThat(json.getObject("losses").getDouble("1", 0, 50)).isPositive();
    assertThat(json.getDouble("tokens_per_second", 0, 1e12)).isPositive();
    assertThat(json.getString("exits_sha256"))
        .isEqualTo(Sha256.of(out.resolve("exits.safetensors")));
    assertThat(Altered.files(out)).contains("exits.json", "exits.safetensors", "loss.svg");
    assertThat(exits.resolve("exits.safetensors"))
        .satisfies(f -> assertThat(Sha256.of(f)).isNotEqualTo(json.getString("exits_sha256")));
  }

  @Test
  void theSameTuneGivesTheSameBytes() {
    String a = tune(exits, temp.resolve("a"), "--json").json().getString("exits_sha256");
    String b = tune(exits, temp.resolve("b"), "--json").json().getString("exits_sha256");
    assertThat(a).isEqualTo(b);
    assertThat(temp.resolve("a/exits.json")).hasSameBinaryContentAs(temp.resolve("b/exits.json"));
  }

  @Test
  void tuneAgainWithOtherOptionsOrExitsIsRefused() {
    Path out = temp.resolve("tuned");
    tune(exits, out).succeeded();
    tune(exits, out, "--seed", 9).assertRefused(1, "step-000004", "seed 1", "now it is 9");
    Path other = temp.resolve("other");
    run(
            "add-exits",
            "--model",
            model,
            "--at",
            "1,2",
            "--init",
            "random",
            "--threads",
            1,
            "--out",
            other)
        .succeeded();
    tune(other, out).assertRefused(1, "step-000004", "exits_start");
  }

  @Test
  void scoreHasAHeadForEachExitAndTheFinalLayer() throws IOException {
    Path text = Files.writeString(temp.resolve("text"), TinyModel.TEXT + "é");
    JsonObject json =
        run("score", "--threads", 1, "--model", model, "--exits", exits, "--file", text, "--json")
            .json();
    assertFields(json, "tokens", "bytes", "heads");
    int bytes = (TinyModel.TEXT + "é").getBytes(StandardCharsets.UTF_8).length;
    assertThat(json.getInt("bytes", 0, 1 << 20)).isEqualTo(bytes);
    int tokens = json.getInt("tokens", 1, 1 << 20);
    assertThat(heads(json)).containsExactly(1L, 2L, "final");
    for (JsonObject head : json.getObjects("heads")) {
      double nll = head.getDouble("nll", 0, 100);
      assertThat(head.getDouble("perplexity", 1, 1e40) / Math.exp(nll))
          .isBetween(1 - 1e-9, 1 + 1e-9);
      assertThat(head.getDouble("bits_per_byte", 0, 100) * bytes * Math.log(2) / (nll * tokens))
          .isBetween(1 - 1e-9, 1 + 1e-9);
      assertThat(head.getDouble("agreement", 0, 1)).isNotNaN();
    }
    assertThat(json.getObjects("heads").getLast().getDouble("agreement", 0, 1)).isEqualTo(1);
  }

  @Test
  void scoreWithoutExitsHasTheFinalLayerAlone() {
    assertThat(
            heads(run("score", "--threads", 1, "--model", model, "--file", data, "--json").json()))
        .containsExactly("final");
  }

  @Test
  void generateTracesEachToken() {
    JsonObject json =
        generate(
                "--exits",
                exits,
                "--active",
                "all",
                "--threshold",
                0,
                "--max-tokens",
                6,
                "--ignore-eos")
            .json();
    assertFields(json, "prompt_ids", "tokens", "text", "timing");
    assertThat(json.getInts("prompt_ids", 0, 400)).isNotEmpty();
    List<JsonObject> tokens = json.getObjects("tokens");
    assertThat(tokens).hasSize(6);
    for (JsonObject token : tokens) {
      token.getInt("id", 0, 400);
      assertThat(token.getDouble("confidence", 0, 1)).isPositive();
    }
    // the prompt is always read at full depth, so the token after it is the final layer's
    assertThat(tokens.stream().map(t -> t.fields().get("exit")))
        .containsExactly("final", 1L, 1L, 1L, 1L, 1L);
    assertThat(tokens.stream().map(t -> t.getString("text")).collect(Collectors.joining()))
        .isEqualTo(json.getString("text"));
    assertFields(json.getObject("timing"), "prefill_tokens_per_second", "decode_tokens_per_second");
  }

  @Test
  void generateAtThresholdOneIsGenerateAtFullDepth() {
    JsonObject never = generate("--exits", exits, "--threshold", 1, "--max-tokens", 8).json();
    JsonObject full = generate("--max-tokens", 8).json();
    assertThat(ids(never)).isEqualTo(ids(full));
    assertThat(never.getString("text")).isEqualTo(full.getString("text"));
  }

  @Test
  void generateWithoutJsonShowsPromptAndText() {
    JsonObject json = generate("--max-tokens", 4, "--ignore-eos").json();
    CommandLineRun run =
        run(
            "generate",
            "--threads",
            1,
            "--model",
            model,
            "--prompt",
            "The hen",
            "--max-tokens",
            4,
            "--ignore-eos");
    assertThat(run.succeeded().out()).startsWith("The hen").endsWith(System.lineSeparator());
    assertThat(run.err()).contains("4 tokens").hasLineCount(1);
    assertThat(json.getObjects("tokens")).hasSize(4);
  }

  @Test
  void generateReadsAPromptFileAsItIs() throws IOException {
    Path file = Files.writeString(temp.resolve("prompt"), "The hen");
    assertThat(
            ids(
                run(
                        "generate",
                        "--threads",
                        1,
                        "--model",
                        model,
                        "--prompt-file",
                        file,
                        "--max-tokens",
                        5,
                        "--json")
                    .json()))
        .isEqualTo(ids(generate("--max-tokens", 5).json()));
  }

  private static CommandLineRun generate(Object... more) {
    Stream<Object> first =
        Stream.of("--threads", 1, "--model", model, "--prompt", "The hen", "--json");
    return run("generate", Stream.concat(first, Arrays.stream(more)).toArray());
  }

  private static List<Object> ids(JsonObject generation) {
    return generation.getObjects("tokens").stream().map(t -> t.fields().get("id")).toList();
  }

  @Test
  void exitsCanBeDroppedAndMergedBackToTheSameTensors() {
    Path one = temp.resolve("one");
    Path two = temp.resolve("two");
    Path merged = temp.resolve("merged");
    dropExits(2, one).succeeded();
    dropExits(1, two).succeeded();
    CommandLineRun merge = mergeExits(merged, two, one).succeeded();
    assertThat(merge.err()).contains("exit after layer 1", "exit after layer 2");
    assertThat(merged.resolve("exits.safetensors"))
        .hasSameBinaryContentAs(exits.resolve("exits.safetensors"));
  }

  @Test
  void mergeKeepsWhatEachFolderWasTunedWith() throws IOException {
    Path tuned = temp.resolve("a/exits");
    Path other = temp.resolve("b/exits");
    dropExits(2, temp.resolve("one")).succeeded();
    dropExits(1, other).succeeded();
    tune(temp.resolve("one"), tuned).succeeded();
    Path merged = temp.resolve("merged");
    mergeExits(merged, tuned, other).succeeded();
    assertThat(Files.readString(merged.resolve("exits.json"))).contains("\"objective\": \"ce\"");
  }

  @Test
  void mergeRefusesTwoExitsAtOneDepthUnlessTold() {
    Path one = temp.resolve("one");
    Path merged = temp.resolve("merged");
    dropExits(2, one).succeeded();
    mergeExits(merged, exits, one)
        .assertRefused(1, exits.toString(), one.toString(), "depth 1", "--replace");
    assertThat(merged).doesNotExist();
    run("merge-exits", "--threads", 1, "--model", model, "--out", merged, "--replace", exits, one)
        .succeeded();
  }

  private static CommandLineRun dropExits(int depth, Path out) {
    return run(
        "drop-exits",
        "--threads",
        1,
        "--model",
        model,
        "--exits",
        exits,
        "--at",
        depth,
        "--out",
        out);
  }

  private static CommandLineRun mergeExits(Path out, Path a, Path b) {
    return run("merge-exits", "--threads", 1, "--model", model, "--out", out, a, b);
  }

  @Test
  void tokenizeGivesIdsAndTheTextAgain() {
    String text = "The fox said: é <|endoftext|>";
    JsonObject json = run("tokenize", "--model", model, "--text", text, "--json").json();
    assertThat(json.getString("text")).isEqualTo(text);
    List<Integer> ids = json.getInts("ids", 0, 400);
    JsonObject parsed =
        run("tokenize", "--model", model, "--text", text, "--json", "--parse-special").json();
    assertThat(parsed.getInts("ids", 0, 400)).hasSizeLessThan(ids.size());
    assertThat(parsed.getString("text")).isEqualTo("The fox said: é ");
    assertThat(run("tokenize", "--model", model, "--text", text).succeeded().out())
        .isEqualTo(ids + System.lineSeparator());
  }

  @Test
  void exitsThatAreNotNamedAreAskedOnlyIfTheyCanPay() {
    CommandLineRun one =
        generate("--exits", exits, "--active", "2", "--threshold", 0, "--max-tokens", 4);
    assertThat(exitsOf(one.json())).containsExactly("final", 2L, 2L, 2L);
    CommandLineRun free = generate("--exits", exits, "--threshold", 0, "--max-tokens", 4);
    // a machine's times decide; what is not used is named with its figures
    List<Object> used = exitsOf(free.json());
    if (!used.contains(1L)) {
      assertThat(free.err()).contains("exit 1 is left out", "ms", "--active all");
    }
    if (!used.contains(1L) && !used.contains(2L)) {
      assertThat(free.err()).contains("exit 2 is left out");
    }
  }

  @Test
  void eachExitCanHaveAThresholdOfItsOwn() {
    CommandLineRun each = generate("--exits", exits, "--threshold", "1=1,2=0", "--max-tokens", 4);
    assertThat(exitsOf(each.json())).containsExactly("final", 2L, 2L, 2L);
    generate("--exits", exits, "--threshold", "2=0", "--active", "2", "--max-tokens", 4)
        .assertRefused(1, "--threshold 2=0", "active");
    generate("--exits", exits, "--threshold", "7=0", "--max-tokens", 4)
        .assertRefused(1, "layer 7", "[1, 2]");
    generate("--exits", exits, "--threshold", "2=0,x", "--max-tokens", 4)
        .assertRefused(1, "--threshold", "'x'", "20=0.7");
    generate("--exits", exits, "--threshold", "x", "--max-tokens", 4)
        .assertRefused(1, "--threshold 'x'", "neither a number");
  }

  private static List<Object> exitsOf(JsonObject generation) {
    return generation.getObjects("tokens").stream().map(t -> t.fields().get("exit")).toList();
  }

  @Test
  void calibrateWritesThresholdsThatGenerateTakesForTheSameExitsAlone() throws IOException {
    Path sequences = temp.resolve("held-out.jsonl");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 30; i++) {
      String words = TinyModel.TEXT.substring(i, i + 60).replace("\"", "\\\"");
      String field = i % 2 == 0 ? "prompt" : "text";
      lines.append("{\"" + field + "\": \"" + words + "\"}\n");
    }
    Files.writeString(sequences, lines);
    Path file = temp.resolve("thresholds.json");
    Path traces = temp.resolve("traces.jsonl");
    CommandLineRun made = calibrate(sequences, file, "--level", 0.4, "--json", "--traces", traces);
    String kept = Files.readString(traces);
    assertThat(calibrate(sequences, file, "--level", 0.4, "--json", "--traces", traces).out())
        .isEqualTo(made.out());
    assertThat(Files.readString(traces)).isEqualTo(kept).hasLineCount(31);
    JsonObject json = made.json();
    assertFields(json, "exits_sha256", "dtype", "policy", "thresholds", "promise");
    JsonObject promise = json.getObject("promise");
    assertThat(promise.getInt("sequences", 1, 30)).isEqualTo(30);
    assertThat(promise.getDouble("p_value", 0, 0.05)).isNotNaN();
    assertThat(exitsOf(generate("--exits", exits, "--max-tokens", 8, "--thresholds", file).json()))
        .isNotEmpty();
    Path others = temp.resolve("others");
    run(
            "add-exits",
            "--threads",
            1,
            "--model",
            model,
            "--at",
            "1,2",
            "--init",
            "random",
            "--seed",
            5,
            "--out",
            others)
        .succeeded();
    generate("--exits", others, "--max-tokens", 8, "--thresholds", file)
        .assertRefused(1, "thresholds.json", "exits_sha256", "run calibrate again");
    generate("--exits", exits, "--max-tokens", 8, "--thresholds", file, "--dtype", "bf16")
        .assertRefused(1, "dtype", "f32", "bf16");
    generate("--exits", exits, "--max-tokens", 8, "--thresholds", file, "--threshold", 0.5)
        .assertRefused(1, "--thresholds", "--threshold");
    calibrate(sequences, file, "--level", 0.05).assertRefused(1, "30 sequences", "at least 59");
    Files.writeString(sequences, "{\"prompt\": \"a b c d\"}\n{\"txt\": \"a\"}\n");
    calibrate(sequences, file).assertRefused(1, "held-out.jsonl line 2", "txt");
  }

  @Test
  void evalScoresTextsChoicesAndAnswersAndWritesAReport() throws IOException {
    Path tasks = temp.resolve("animals.jsonl");
    Files.writeString(
        tasks,
        """
        {"context": "The fox", "choices": ["ran", "said nothing"], "answer": 0}
        {"task": "qa", "prompt": "The hen", "references": ["sat"], "max_tokens": 6}
        {"task": "qa", "prompt": "The tree said", "references": ["nothing", "no"], "max_tokens": 6}
        """);
    Path out = temp.resolve("eval");
    CommandLineRun made =
        evaluate(
            "--exits",
            exits,
            "--active",
            "all",
            "--text",
            data,
            "--tasks",
            tasks,
            "--threshold",
            "0.5,0.01",
            "--each-exit",
            "--out",
            out,
            "--json");
    JsonObject json = made.json();
    assertThat(json.getObject("run").getString("command"))
        .startsWith("./sortie eval --threads 1 --model");
    assertThat(heads(json.getObject("text"))).containsExactly("1", "2", "final");
    assertThat(json.getObject("choices").getObject("animals").fields().keySet())
        .containsExactly("1", "2", "final");
    List<JsonObject> settings = json.getObjects("settings");
    // full depth, speculative, and both thresholds with both exits and with each alone
    assertThat(settings).hasSize(2 + 3 * 2);
    assertThat(settings.get(0).getString("strategy")).isEqualTo("full");
    assertThat(settings.get(1).getString("strategy")).isEqualTo("speculative");
    assertThat(settings.get(1).getObject("tasks").fields().toString())
        .isEqualTo(settings.get(0).getObject("tasks").fields().toString());
    assertThat(settings.get(0).getDouble("agreement", 0, 1)).isEqualTo(1);
    assertThat(settings.get(1).getDouble("agreement", 0, 1)).isEqualTo(1);
    for (JsonObject s : settings) {
      assertThat(s.getDouble("predicted_tokens_per_second", 0, 1e9)).isPositive();
      s.getObject("tasks").getObject("qa").getDouble("rouge_l", 0, 1);
    }
    assertThat(Altered.files(out)).containsExactly("report.html", "results.json");
    assertThat(Files.readString(out.resolve("report.html"))).contains("Quality against speed");
    evaluate("--out", out).assertRefused(1, "--text", "--tasks");
    evaluate("--text", data, "--threshold", 0.5, "--out", out).assertRefused(1, "--exits");
    evaluate("--text", data, "--strategy", "magic", "--out", out).assertRefused(1, "magic");
    Files.writeString(tasks, "{\"prompt\": \"a\"}\n{\"prompt\": 1}\n");
    evaluate("--tasks", tasks, "--out", out)
        .assertRefused(1, "animals.jsonl line 2", "\"prompt\" is 1");
  }

  private static CommandLineRun evaluate(Object... more) {
    Stream<Object> first = Stream.of("--threads", 1, "--model", model);
    return run("eval", Stream.concat(first, Arrays.stream(more)).toArray());
  }

  private static CommandLineRun calibrate(Path data, Path out, Object... more) {
    Stream<Object> first =
        Stream.of(
            "--threads",
            1,
            "--model",
            model,
            "--exits",
            exits,
            "--active",
            "all",
            "--data",
            data,
            "--window",
            32,
            "--tokens",
            8,
            "--out",
            out);
    return run("calibrate", Stream.concat(first, Arrays.stream(more)).toArray());
  }

  @Test
  void doctorTellsWhatAModelAndItsExitsCost() {
    CommandLineRun run =
        run("doctor", "--threads", 1, "--model", model, "--exits", exits, "--json").succeeded();
    JsonObject cost = run.json().getObject("cost");
    assertThat(cost.getObject("layer").fields().keySet()).containsExactly("1", "2", "4", "8", "16");
    assertThat(cost.getObject("pass").getDouble("1", 0, 10)).isPositive();
    List<JsonObject> payoffs = cost.getObjects("exit_payoffs");
    assertThat(payoffs).extracting(e -> e.getInt("depth", 1, 3)).containsExactly(1, 2);
    payoffs.forEach(e -> assertFields(e, "ask", "best_speedup", "break_even_share"));
    assertThat(cost.getObjects("draft_payoffs"))
        .extracting(d -> d.getInt("length", 1, 16))
        .containsExactly(1, 3, 7, 15);
  }

  @Test
  void doctorSaysOneObjectATopic() {
    JsonObject json = run("doctor", "--threads", 1, "--json").json();
    assertFields(json, "java", "machine", "kernels", "huge_pages", "mpi", "advice");
    assertFields(json.getObject("machine"), "cores", "hardware_threads", "threads");
    assertThat(json.getObject("machine").getInt("threads", 1, 9)).isEqualTo(1);
    assertFields(json.getObject("kernels"), "set", "reason");
    assertFields(json.getObject("self_test"), "vector_fma_gflops", "gemm_gflops", "read_gb_per_s");
    assertThat(json.fields().keySet()).containsAnyOf("opencl", "devices");
    String text = run("doctor", "--threads", 1).succeeded().out();
    assertThat(text).contains("java\n", "  set: ", "  cores: ").containsPattern("mend\n");
  }
}
