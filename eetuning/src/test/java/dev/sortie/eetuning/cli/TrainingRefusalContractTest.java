package dev.sortie.eetuning.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What is wrong with training gives one line that names it, and leaves no file behind. */
class TrainingRefusalContractTest extends RefusedCommands {
  private static final String OF_EXITS =
      "--arch, --head and --exit-weight-start, -steps and -ramp are of exits; give --exits-at too";

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
            2,
            "--self-tokens 9223372036854775807 must be from 1 to"),
        refused("self tokens", tuneOn(data, "--self-tokens 9"), 2, "are for --data self"),
        refused("self heat", tuneOn(data, "--self-temperature 1"), 2, "are for --data self"),
        refused("learning rate", tuneOn(data, "--lr -1"), 2, "--lr -1.0"),
        refused("floor", tuneOn(data, "--min-lr 1"), 2, "--min-lr 1.0", "0.001"),
        refused("warm-up", tuneOn(data, "--warmup 5"), 2, "--warmup 5", "2"),
        refused("clip", tuneOn(data, "--clip 0"), 2, "--clip 0.0"),
        refused("decay", tuneOn(data, "--weight-decay -1"), 2, "--weight-decay -1.0"),
        refused("held out", tuneOn(data, "--held-out 1"), 2, "--held-out 1.0"),
        refused(
            "batches", tuneOn(data, "--global-batch 3"), 2, "--global-batch 3", "--micro-batch 2"),
        refused(
            "too many micro-batches",
            tuneOn(data, "--global-batch 2147483646"),
            2,
            "--global-batch 2147483646 has 1073741823 micro-batches of 2, at most 16384"),
        refused("objective", tuneOn(data, "--objective mse"), 2, "--objective 'mse'", "ce or kl"),
        refused(
            "token weights", tuneOn(data, "--token-weights x"), 2, "--token-weights 'x'", "equal"),
        refused("exit weight", tuneOn(data, "--exit-weight 2=-1"), 2, "--exit-weight 2=-1.0"),
        refused(
            "weight of no exit",
            tuneOn(data, "--exit-weight 7=1"),
            1,
            "--exit-weight",
            "7",
            "[1, 2]"),
        refused("checkpoints", tuneOn(data, "--checkpoint-every 0"), 2, "--checkpoint-every 0"),
        refused(
            "unroll nothing",
            tuneOn(data, "--lookahead-unroll 2"),
            2,
            "--lookahead-unroll",
            "of which there is none"),
        refused(
            "beyond the context",
            tune("--data " + data + " --seq-len 64"),
            1,
            "--seq-len 64",
            "48"),
        refused("log into a text", tuneOn(data, "--step-log " + data), 1, "--step-log " + data),
        refused("no length", tune("--data " + data + " --seq-len 0"), 2, "--seq-len 0"),
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
            2,
            "--out",
            exits));
  }

  @TestFactory
  Stream<DynamicTest> wrongPretraining() {
    return Stream.of(
        refused("layers", pretrain("--layers 0"), 2, "--layers 0 is outside 1 to 4096"),
        refused("hidden", pretrain("--hidden 0"), 2, "--hidden 0"),
        refused("key heads", pretrain("--kv-heads 3 --heads 2"), 2, "--kv-heads 3", "1 to 2"),
        refused("context", pretrain("--context 4"), 2, "--context 4 is less than --seq-len"),
        refused("heads", pretrain("--hidden 20 --heads 3"), 2, "--hidden 20", "--heads 3"),
        refused(
            "kv heads",
            pretrain("--hidden 24 --heads 4 --kv-heads 3"),
            2,
            "--kv-heads 3 does not divide --heads 4"),
        refused("arch of no exit", pretrain("--arch mlp"), 2, OF_EXITS),
        refused("head of no exit", pretrain("--head own"), 2, OF_EXITS),
        refused("ramp of no exit", pretrain("--exit-weight-ramp cosine"), 2, OF_EXITS),
        refused(
            "start without steps",
            pretrain("--layers 4 --exits-at 1 --exit-weight-start 0.5"),
            2,
            "--exit-weight-start 0.5 needs --exit-weight-steps"),
        refused(
            "steps without start",
            pretrain("--layers 4 --exits-at 1 --exit-weight-steps 2"),
            2,
            "--exit-weight-steps and --exit-weight-ramp need --exit-weight-start X"),
        refused("one stage", pretrain("--schedule gpipe"), 2, "--schedule gpipe is of a pipeline"),
        refused("two sizes", pretrain("--tokenizer " + data), 2, "--vocab 270", "--tokenizer"),
        refused(
            "weights of no exit",
            pretrain("--layers 4 --exits-at 1,2 --exit-weight 1=1 --exit-weight 3=1"),
            2,
            "--exit-weight names depths [3], which have no exit; the exits stand at [1, 2]"),
        refused("batch", pretrain("--micro-batch 0"), 2, "--micro-batch 0"),
        refused("steps", pretrain("--checkpoint-every -1"), 2, "--checkpoint-every -1"),
        refused("learning rate", pretrain("--lr NaN"), 2, "--lr NaN"),
        refused("dropout", pretrain("--dropout 1"), 2, "--dropout 1.0", "below 1"),
        refused("save", pretrain("--save I32"), 2, "--save I32", "BF16 or F32"));
  }
}
