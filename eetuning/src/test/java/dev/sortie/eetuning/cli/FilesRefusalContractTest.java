package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What is wrong with files gives one line that names it, and leaves no file behind. */
class FilesRefusalContractTest extends RefusedCommands {
  private static final String SHARED =
      "--data, --samples, --seq-len and --seed are for --share-basis";

  private static Path altered(String name, java.util.function.Consumer<Path> change) {
    Path copy = Altered.copy(model, temp.resolve(name));
    change.accept(copy);
    return copy;
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
  Stream<DynamicTest> wrongConversions() {
    Path gguf = temp.resolve("new.gguf");
    String convert = "convert --threads 1 %s --out %s ";
    Path missing = temp.resolve("missing.gguf");
    return Stream.of(
        refused("no source", words(convert, missing, gguf), 1, missing, "no such file"),
        refused("no output", words("convert %s", model), 2, "--out"),
        refused("there already", words(convert, model, model), 1, model, "already"),
        refused("samples alone", words(convert + "--samples 9", model, gguf), 2, SHARED),
        refused("length alone", words(convert + "--seq-len 9", model, gguf), 2, SHARED),
        refused("seed alone", words(convert + "--seed 9", model, gguf), 2, SHARED),
        refused("unknown type", words(convert + "--quantize q9", model, gguf), 2, "'q9'", "bf16"),
        refused("unknown format", words(convert + "--to onnx", model, gguf), 2, "'onnx'", "gguf"),
        refused(
            "not named .gguf",
            words(convert + "--to gguf", model, temp.resolve("new")),
            2,
            "must end in .gguf"),
        refused(
            "folder named .gguf",
            words(convert + "--to safetensors", model, gguf),
            2,
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
            2,
            "sortie: --arch 'maze' is",
            "embedding"),
        refused(
            "init",
            words(add + "--at 1 --init zero", model, out),
            2,
            "sortie: --init 'zero' is",
            "copy"),
        refused("head", words(add + "--at 1 --head no", model, out), 2, "--head 'no'", "own"),
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
            2,
            "give --text TEXT or --file FILE\n"),
        refused(
            "tokenize two texts",
            words("tokenize --model %s --text a --file %s", model, empty),
            2,
            "give --text TEXT or --file FILE, but not both"),
        refused(
            "tokenize a missing file",
            words("tokenize --model %s --file %s", model, absent),
            1,
            absent,
            "no such file"));
  }
}
