package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong gives one line that names it, and leaves no file behind. */
class CommandLineRefusalContractTest {
  private static final String TEMPLATE =
      "--chat-template, --tools and --template-variable need --messages FILE";

  private static final String SHARED =
      "--data, --samples, --seq-len and --seed are for --share-basis";

  @TempDir private static Path temp;

  private static Path model;
  private static Path exits;
  private static Path data;
  private static Path file;
  private static Path out;
  private static Path absent;

  @BeforeAll
  static void makeModel() throws IOException {
    model = TinyModel.write(temp.resolve("model"), 1);
    exits = temp.resolve("exits");
    data = Files.writeString(temp.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    file = Files.writeString(temp.resolve("file"), "a file");
    out = temp.resolve("out");
    absent = temp.resolve("absent");
    CommandLineRun.of(words("add-exits --threads 1 --model %s --at 1,2 --out %s", model, exits))
        .succeeded();
  }

  private static String[] words(String format, Object... args) {
    return Arrays.stream(format.formatted(args).split(" "))
        .map(w -> w.replace('_', ' '))
        .toArray(String[]::new);
  }

  private static DynamicTest refused(String name, String[] args, int code, Object... parts) {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          List<String> before = Altered.files(temp);
          String[] texts = Arrays.stream(parts).map(Object::toString).toArray(String[]::new);
          CommandLineRun.of(args).assertRefused(code, texts);
          assertThat(Altered.files(temp)).isEqualTo(before);
        });
  }

  private static Path altered(String name, java.util.function.Consumer<Path> change) {
    Path copy = Altered.copy(model, temp.resolve(name));
    change.accept(copy);
    return copy;
  }

  private static String[] generate(Path m, String more) {
    return words("generate --threads 1 --model %s --prompt The_hen %s", m, more);
  }

  private static String[] tune(String more) {
    return words(
        "tune --threads 1 --model %s --exits %s --out %s --steps 2 %s", model, exits, out, more);
  }

  private static String[] tuneOn(Path text, String more) {
    return tune("--data " + text + " --seq-len 16 --micro-batch 2 " + more);
  }

  @TestFactory
  Stream<DynamicTest> wrongModels() {
    List<DynamicTest> tests = new ArrayList<>();
    Path missing = temp.resolve("missing");
    tests.add(refused("no folder", generate(missing, ""), 1, missing, "no such model"));
    Path bare = altered("bare", m -> delete(m.resolve("model.safetensors")));
    tests.add(refused("no weights", generate(bare, ""), 1, bare, "model.safetensors"));
    Path untold = altered("untold", m -> delete(m.resolve("config.json")));
    tests.add(refused("no config", generate(untold, ""), 1, untold.resolve("config.json")));
    Path mute = altered("mute", m -> delete(m.resolve("tokenizer.json")));
    tests.add(refused("no tokenizer", generate(mute, ""), 1, mute, "tokenizer.json"));
    Path vague =
        altered("vague", m -> Altered.text(m.resolve("config.json"), "\"vocab_size\"", "\"v\""));
    tests.add(
        refused(
            "config lacks a field",
            generate(vague, ""),
            1,
            vague.resolve("config.json"),
            "vocab_size",
            "missing"));
    Path deep =
        altered(
            "deep",
            m ->
                Altered.text(
                    m.resolve("config.json"),
                    "\"num_hidden_layers\": 3",
                    "\"num_hidden_layers\": 4"));
    tests.add(refused("too few layers", generate(deep, ""), 1, deep, "model.layers.3.", "missing"));
    String norm = "model.layers.1.input_layernorm.weight";
    Path wide = altered("wide", m -> Altered.doubleRows(m.resolve("model.safetensors"), norm));
    tests.add(refused("wrong shape", generate(wide, ""), 1, wide, norm, "32", "16"));
    Path nan = altered("nan", m -> Altered.nan(m.resolve("model.safetensors"), norm, 5));
    tests.add(refused("NaN", generate(nan, ""), 1, nan, norm, "element 5", "NaN"));
    Path cut = altered("cut", m -> Altered.truncate(m.resolve("model.safetensors"), 100));
    tests.add(refused("truncated", generate(cut, ""), 1, cut.resolve("model.safetensors")));
    return tests.stream();
  }

  @TestFactory
  Stream<DynamicTest> wrongServing() {
    Path missing = temp.resolve("missing"); // which is not looked at
    return Stream.of(
        refused(
            "no connections",
            words("serve --model %s --max-connections 0", missing),
            1,
            "--max-connections 0 is outside 1 to"),
        refused(
            "no body",
            words("serve --model %s --max-body 0", missing),
            1,
            "--max-body 0 is outside 1024 to"),
        refused(
            "no texts",
            words("serve --model %s --parallel 0", missing),
            1,
            "--parallel 0 is outside 1 to 4096"),
        refused(
            "no cache",
            words("serve --model %s --cache-tokens 1", missing),
            1,
            "--cache-tokens 1 is too few"),
        refused(
            "a host with a scheme",
            words("serve --model %s --allowed-host https://llm.example.com", model),
            1,
            "--allowed-host https://llm.example.com",
            "not a host name"));
  }

  @TestFactory
  Stream<DynamicTest> wrongConversions() {
    Path gguf = temp.resolve("new.gguf");
    String convert = "convert --threads 1 %s --out %s ";
    Path missing = temp.resolve("missing.gguf");
    return Stream.of(
        refused("no source", words(convert, missing, gguf), 1, missing, "no such file"),
        refused("no output", words("convert %s", model), 2, "--out"),
        refused("there already", words(convert, model, model), 1, model, "already"),
        refused("samples alone", words(convert + "--samples 9", model, gguf), 1, SHARED),
        refused("length alone", words(convert + "--seq-len 9", model, gguf), 1, SHARED),
        refused("seed alone", words(convert + "--seed 9", model, gguf), 1, SHARED),
        refused("unknown type", words(convert + "--quantize q9", model, gguf), 1, "'q9'", "bf16"),
        refused("unknown format", words(convert + "--to onnx", model, gguf), 1, "'onnx'", "gguf"),
        refused(
            "not named .gguf",
            words(convert + "--to gguf", model, temp.resolve("new")),
            1,
            "must end in .gguf"),
        refused(
            "folder named .gguf",
            words(convert + "--to safetensors", model, gguf),
            1,
            "ends in .gguf"));
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @TestFactory
  Stream<DynamicTest> wrongExits() {
    Path other = TinyModel.write(temp.resolve("another"), 2);
    String add = "add-exits --threads 1 --model %s --out %s ";
    String drop = "drop-exits --threads 1 --model %s --exits %s --out %s ";
    return Stream.of(
        refused("depth 3 of 3", words(add + "--at 1,3", model, out), 1, "depth 3", "1 to 2"),
        refused("depth 0", words(add + "--at 0", model, out), 1, "depth 0", "1 to 2"),
        refused("depth twice", words(add + "--at 1,1", model, out), 1, "depth 1"),
        refused(
            "architecture",
            words(add + "--at 1 --arch maze", model, out),
            1,
            "sortie: --arch 'maze' is",
            "embedding"),
        refused(
            "init",
            words(add + "--at 1 --init zero", model, out),
            1,
            "sortie: --init 'zero' is",
            "copy"),
        refused("head", words(add + "--at 1 --head no", model, out), 1, "--head 'no'", "own"),
        refused("add into a file", words(add + "--at 1", model, file), 1, file),
        refused("add over exits", words(add + "--at 1", model, exits), 1, exits, "already"),
        refused(
            "another backbone",
            generate(other, "--max-tokens 4 --exits " + exits),
            1,
            exits.resolve("exits.json"),
            "backbone.sha256"),
        refused(
            "no exits there",
            generate(model, "--max-tokens 4 --exits " + absent),
            1,
            absent.resolve("exits.json")),
        refused("drop what is not there", words(drop + "--at 7", model, exits, out), 1, "7"),
        refused("drop into a file", words(drop + "--at 1", model, exits, file), 1, file),
        refused(
            "merge with nothing",
            words("merge-exits --threads 1 --model %s --out %s %s %s", model, out, exits, file),
            1,
            file.resolve("exits.json")));
  }

  @TestFactory
  Stream<DynamicTest> wrongGeneration() throws IOException {
    Path latin = Files.write(temp.resolve("latin"), new byte[] {'a', (byte) 0xe9, 'b'});
    String g = "generate --threads 1 --model %s ";
    return Stream.of(
        refused(
            "threshold",
            generate(model, "--threshold 2 --exits " + exits),
            1,
            "--threshold 2.0",
            "0 to 1"),
        refused("threshold without exits", generate(model, "--threshold 0.5"), 1, "need --exits"),
        refused("policy without exits", generate(model, "--exit-policy margin"), 1, "need --exits"),
        refused("patience without exits", generate(model, "--patience 2"), 1, "need --exits"),
        refused(
            "patience of another policy",
            generate(model, "--patience 2 --exits " + exits),
            1,
            "--patience 2 needs --exit-policy agreement"),
        refused(
            "probe threshold of another policy",
            generate(model, "--probe-threshold 0.5 --exit-policy margin --exits " + exits),
            1,
            "--probe-threshold 0.5 needs --exit-policy probe"),
        refused(
            "timeout of no cloud",
            generate(model, "--cloud-timeout 5"),
            1,
            "--cloud-timeout 5 needs --edge N"),
        refused(
            "threshold of drafts without exits",
            generate(model, "--strategy speculative --threshold 0.5"),
            1,
            "--threshold, --exit-policy, --patience and --probe-threshold need --exits DIR"),
        refused("max tokens", generate(model, "--max-tokens 0"), 1, "--max-tokens 0"),
        refused(
            "most tokens",
            generate(model, "--max-tokens 2147483647"),
            1,
            "--max-tokens 2147483647",
            "context"),
        refused(
            "grace",
            words("launch --nproc 1 --grace -1 -- true"),
            1,
            "--grace of -1.0 s is less than 0"),
        refused(
            "too long",
            generate(model, "--max-tokens 200"),
            1,
            "--max-tokens 200",
            "context of 48"),
        refused(
            "prompt too long",
            words(g + "--max-tokens 1 --prompt %s", model, "fox_".repeat(100)),
            1,
            "tokens",
            "context of 48"),
        refused("temperature", generate(model, "--temperature -1"), 1, "--temperature -1.0"),
        refused("strategy", generate(model, "--strategy magic"), 1, "--strategy 'magic'", "full"),
        refused("no exits", generate(model, "--strategy early-exit"), 1, "--exits"),
        refused(
            "active depth",
            generate(model, "--max-tokens 4 --active 5 --exits " + exits),
            1,
            "layer 5",
            "[1"),
        refused(
            "active list",
            generate(model, "--max-tokens 4 --active 1,x --exits " + exits),
            1,
            "--active '1,x'"),
        refused("active alone", generate(model, "--active all"), 1, "--active", "--exits"),
        refused("exits of nothing", words("doctor --exits %s", exits), 1, "--exits", "--model"),
        refused(
            "draft",
            generate(model, "--strategy speculative --draft magic"),
            1,
            "--draft 'magic'",
            "prompt-lookup"),
        refused(
            "draft twice",
            generate(model, "--strategy speculative --draft prompt-lookup,prompt-lookup"),
            1,
            "prompt-lookup twice"),
        refused(
            "draft without exits",
            generate(model, "--strategy speculative --draft early-exit"),
            1,
            "--draft early-exit needs --exits"),
        refused(
            "draft at full depth",
            generate(model, "--strategy full --draft prompt-lookup"),
            1,
            "--strategy speculative"),
        refused(
            "pending",
            generate(model, "--max-tokens 4 --max-pending 16 --exits " + exits),
            1,
            "16",
            "0 to 15"),
        refused("threads of doctor", words("doctor --threads 0"), 1, "--threads 0 is outside"),
        refused("ranks", generate(model, "--tp 65536 --pp 65536"), 1, "65536 must be at most 1024"),
        refused("ranks below 1", generate(model, "--tp -65536 --pp 65536"), 1, "--tp -65536"),
        refused("rounds of demo", words("demo --rounds 1001 --out %s", absent), 1, "--rounds 1001"),
        refused(
            "rounds of eval",
            words("eval --model %s --text %s --rounds 1001 --out %s", model, data, absent),
            1,
            "--rounds 1001 is outside 1 to 1000"),
        refused(
            "threads",
            words("generate --threads 0 --model %s --prompt a", model),
            1,
            "--threads 0"),
        refused("template alone", generate(model, "--chat-template " + data), 1, TEMPLATE),
        refused("tools alone", generate(model, "--tools " + data), 1, TEMPLATE),
        refused("variable alone", generate(model, "--template-variable a=b"), 1, TEMPLATE),
        refused(
            "variable of lines",
            words(g + "--prompts %s --template-variable a=b", model, data),
            1,
            TEMPLATE),
        refused("no prompt", words(g, model), 1, "--prompt TEXT", "not none"),
        refused(
            "two prompts",
            generate(model, "--prompt-file " + data),
            1,
            "give one of --prompt TEXT, --prompt-file FILE, --prompts FILE and --messages FILE, not several"),
        refused(
            "no such prompt file",
            words(g + "--prompt-file %s", model, absent),
            1,
            absent,
            "no such file"),
        refused(
            "prompt not UTF-8", words(g + "--prompt-file %s", model, latin), 1, latin, "UTF-8"));
  }

  @TestFactory
  Stream<DynamicTest> wrongTuning() throws IOException {
    Path empty = Files.writeString(temp.resolve("empty"), "");
    Path latin = Files.write(temp.resolve("latin1"), new byte[] {'a', (byte) 0xe9, 'b'});
    Path little = Files.writeString(temp.resolve("short"), "The hen.");
    Path missing = temp.resolve("nowhere.txt");
    return Stream.of(
        refused(
            "most tokens sampled",
            tune("--data self --seq-len 16 --self-tokens 9223372036854775807"),
            1,
            "--self-tokens 9223372036854775807 must be from 1 to"),
        refused("self tokens", tuneOn(data, "--self-tokens 9"), 1, "are for --data self"),
        refused("self heat", tuneOn(data, "--self-temperature 1"), 1, "are for --data self"),
        refused("learning rate", tuneOn(data, "--lr -1"), 1, "--lr -1.0"),
        refused("floor", tuneOn(data, "--min-lr 1"), 1, "--min-lr 1.0", "0.001"),
        refused("warm-up", tuneOn(data, "--warmup 5"), 1, "--warmup 5", "2"),
        refused("clip", tuneOn(data, "--clip 0"), 1, "--clip 0.0"),
        refused("decay", tuneOn(data, "--weight-decay -1"), 1, "--weight-decay -1.0"),
        refused("held out", tuneOn(data, "--held-out 1"), 1, "--held-out 1.0"),
        refused(
            "batches", tuneOn(data, "--global-batch 3"), 1, "--global-batch 3", "--micro-batch 2"),
        refused(
            "too many micro-batches",
            tuneOn(data, "--global-batch 2147483646"),
            1,
            "--global-batch 2147483646 has 1073741823 micro-batches of 2, at most 16384"),
        refused("objective", tuneOn(data, "--objective mse"), 1, "--objective 'mse'", "ce or kl"),
        refused(
            "token weights", tuneOn(data, "--token-weights x"), 1, "--token-weights 'x'", "equal"),
        refused("exit weight", tuneOn(data, "--exit-weight 2=-1"), 1, "--exit-weight 2=-1.0"),
        refused(
            "weight of no exit",
            tuneOn(data, "--exit-weight 7=1"),
            1,
            "--exit-weight",
            "7",
            "[1, 2]"),
        refused("checkpoints", tuneOn(data, "--checkpoint-every 0"), 1, "--checkpoint-every 0"),
        refused(
            "beyond the context",
            tune("--data " + data + " --seq-len 64"),
            1,
            "--seq-len 64",
            "48"),
        refused("no length", tune("--data " + data + " --seq-len 0"), 1, "--seq-len 0"),
        refused("empty data", tuneOn(empty, ""), 1, empty, "empty"),
        refused("data not UTF-8", tuneOn(latin, ""), 1, latin, "0xE9", "offset 1"),
        refused("data too short", tuneOn(little, ""), 1, "more text"),
        refused("no data file", tuneOn(missing, ""), 1, missing, "no such file"),
        refused("data is a folder", tuneOn(exits, ""), 1, exits),
        refused(
            "out is a file",
            words(
                "tune --threads 1 --model %s --exits %s --out %s --data %s --seq-len 16",
                model, exits, file, data),
            1,
            file,
            "is a file"),
        refused(
            "out is the exits",
            words(
                "tune --threads 1 --model %s --exits %s --out %s --data %s",
                model, exits, exits, data),
            1,
            "--out",
            exits));
  }

  /** Before anything else is done. */
  @TestFactory
  Stream<DynamicTest> wrongFilesOfResults() {
    Path inAbsent = absent.resolve("result");
    String speedrun = "speedrun --data %s --out %s --record %s";
    String calibrate = "calibrate --threads 1 --model %s --exits %s --data %s --window 16";
    String plot = "--pp 2 --plot-schedule " + inAbsent;
    return Stream.of(
        refused(
            "record in no folder",
            words(speedrun, data, out, inAbsent),
            1,
            "--record " + inAbsent,
            "no folder " + absent),
        refused(
            "record is a folder",
            words(speedrun, data, out, exits),
            1,
            "--record " + exits,
            "is a folder"),
        refused(
            "thresholds in no folder",
            words(calibrate + " --out %s", model, exits, data, inAbsent),
            1,
            "--out " + inAbsent,
            "no folder " + absent),
        refused(
            "thresholds are a folder",
            words(calibrate + " --out %s", model, exits, data, exits),
            1,
            "--out " + exits,
            "is a folder"),
        refused(
            "traces in no folder",
            words(calibrate + " --out %s --traces %s", model, exits, data, file, inAbsent),
            1,
            "--traces " + inAbsent,
            "no folder " + absent),
        refused("log is the root", tuneOn(data, "--step-log /"), 1, "--step-log /: is a folder"),
        refused("plot of tune", tuneOn(data, plot), 1, "--plot-schedule " + inAbsent),
        refused("plot of pretrain", pretrain(plot), 1, "--plot-schedule " + inAbsent),
        refused("plot of generate", generate(model, plot), 1, "--plot-schedule " + inAbsent));
  }

  private static String[] pretrain(String more) {
    return words(
        "pretrain --threads 1 --data %s --out %s --steps 2 --seq-len 16 --vocab 270 %s",
        data, out, more);
  }

  @TestFactory
  Stream<DynamicTest> wrongPretraining() {
    return Stream.of(
        refused("heads", pretrain("--hidden 20 --heads 3"), 1, "--hidden 20", "--heads 3"),
        refused(
            "kv heads", pretrain("--heads 4 --kv-heads 3"), 1, "num_key_value_heads 3", "heads 4"),
        refused("arch of no exit", pretrain("--arch mlp"), 1, "--arch and --head are of exits"),
        refused("head of no exit", pretrain("--head own"), 1, "--arch and --head are of exits"),
        refused("one stage", pretrain("--schedule gpipe"), 1, "--schedule gpipe is of a pipeline"),
        refused("two sizes", pretrain("--tokenizer " + data), 1, "--vocab 270", "--tokenizer"),
        refused(
            "weights of no exit",
            pretrain("--layers 4 --exits-at 1,2 --exit-weight 1=1 --exit-weight 3=1"),
            1,
            "--exit-weight names depths [3], which have no exit; the exits stand at [1, 2]"),
        refused("batch", pretrain("--micro-batch 0"), 1, "--micro-batch 0"),
        refused("steps", pretrain("--checkpoint-every -1"), 1, "--checkpoint-every -1"),
        refused("learning rate", pretrain("--lr NaN"), 1, "--lr NaN"),
        refused("dropout", pretrain("--dropout 1"), 1, "--dropout 1.0", "below 1"),
        refused("save", pretrain("--save I32"), 1, "--save I32", "BF16 or F32"));
  }

  @TestFactory
  Stream<DynamicTest> wrongTexts() throws IOException {
    Path empty = Files.writeString(temp.resolve("empty2"), "");
    Path one = Files.writeString(temp.resolve("one"), "a");
    Path latin = Files.write(temp.resolve("latin2"), new byte[] {'a', (byte) 0xe9, 'b'});
    String score = "score --threads 1 --model %s --file %s";
    return Stream.of(
        refused("score an empty file", words(score, model, empty), 1, empty, "empty"),
        refused("score one token", words(score, model, one), 1, one, "1 tokens", "2"),
        refused("score what is not UTF-8", words(score, model, latin), 1, latin, "UTF-8"),
        refused("score a missing file", words(score, model, absent), 1, absent, "no such file"),
        refused("score a folder", words(score, model, exits), 1, exits),
        refused(
            "tokenize nothing",
            words("tokenize --model %s", model),
            1,
            "give --text TEXT or --file FILE, but not both"),
        refused(
            "tokenize a missing file",
            words("tokenize --model %s --file %s", model, absent),
            1,
            absent,
            "no such file"));
  }
}
