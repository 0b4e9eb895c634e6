package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pretrain --model} goes on with the weights, sizes and tokenizer of a model. */
@Tag("any-kernels")
class ContinuedPretrainingContractTest {
  @TempDir private Path temp;
  private Path data;
  private Path model;

  @BeforeEach
  void writeModelAndText() throws IOException {
    data = Files.writeString(temp.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    model = TinyModel.write(temp.resolve("model"), 7);
  }

  private CommandLineRun pretrain(Path from, String out, String more) {
    return CommandLineRun.line(
        "pretrain --json --threads 1 --micro-batch 2 --model %s --data %s --out %s " + more,
        from,
        data,
        temp.resolve(out));
  }

  @Test
  void itBeginsWithTheWeightsOfTheModel() {
    pretrain(
            model,
            "near",
            "--seq-len 16 --steps 1 --lr 1e-7 --min-lr 0 --weight-decay 0 --save F32")
        .succeeded();
    try (Device device = Device.cpu(1);
        LanguageModel before = LanguageModel.load(model, Precision.F32, device);
        LanguageModel after = LanguageModel.load(temp.resolve("near"), Precision.F32, device)) {
      Map<String, Tensor> weights = after.decoder().parameters();
      assertThat(weights).containsOnlyKeys(before.decoder().parameters().keySet());
      before
          .decoder()
          .parameters()
          .forEach(
              (name, t) ->
                  assertThat(weights.get(name).toFloats())
                      .as(name)
                      .containsExactly(t.toFloats(), within(1e-6f)));
    }
    assertThat(temp.resolve("near/tokenizer.json"))
        .hasSameBinaryContentAs(model.resolve("tokenizer.json"));
  }

  @Test
  void itLearnsAndItsExitsDecode() {
    JsonObject done =
        pretrain(model, "learnt", "--seq-len 16 --steps 60 --lr 3e-3 --exits-at 1,2").json();
    JsonObject one = pretrain(model, "first", "--seq-len 16 --steps 1 --exits-at 1,2").json();
    for (String head : new String[] {"1", "2", "final"}) {
      assertThat(done.getObject("losses").getDouble(head, 0, 99))
          .as(head)
          .isLessThan(one.getObject("losses").getDouble(head, 0, 99) - 1);
    }
    Path learnt = temp.resolve("learnt");
    CommandLineRun.line(
            "generate --model %s --exits %s --active all --threshold 0.1 --prompt Once --max-tokens 5",
            learnt, learnt)
        .succeeded();
  }

  @Test
  void aRunResumesFromItsOwnModelOnly() {
    pretrain(model, "run", "--seq-len 16 --steps 2").succeeded();
    pretrain(model, "run", "--seq-len 16 --steps 2").succeeded();
    Path other = TinyModel.write(temp.resolve("other"), 8);
    CommandLineRun refused = pretrain(other, "run", "--seq-len 16 --steps 2");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("sortie: ", "this run was begun with starts_from");
  }

  @Test
  void whatIsOfANewModelOrCannotBeWrittenAgainIsRefused() {
    pretrain(model, "run", "--layers 3").assertRefused(2, "--layers is for a new model");
    pretrain(model, "run", "--vocab 300").assertRefused(2, "--vocab is for a new model");
    pretrain(model, "run", "--seq-len 64")
        .assertRefused(1, "--seq-len 64 is more than the model's context of 48");
    Path gguf = temp.resolve("model.gguf");
    CommandLineRun.line("convert %s --out %s", model, gguf).succeeded();
    pretrain(gguf, "run", "--seq-len 16").assertRefused(1, gguf + ": ", "convert makes one");
    assertThat(temp.resolve("run/checkpoints")).doesNotExist();
  }
}
