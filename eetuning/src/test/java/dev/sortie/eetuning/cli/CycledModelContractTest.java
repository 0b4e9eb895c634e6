package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.pipeline.DecodingStages;
import dev.sortie.nn.InputException;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.DecoderConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pretrain --cycles}, and what the other commands do with such a model. */
@Tag("any-kernels")
class CycledModelContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void pretrain() throws IOException {
    Path data = Files.writeString(shared.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    Path model = shared.resolve("model");
    CommandLineRun.line(
            "pretrain --threads 1 --data %s --out %s --layers 4 --cycles 2 --hidden 24 --heads 4 --ffn 32 --vocab 280 --steps 4 --seq-len 16 --lr 0.01 --micro-batch 2 --global-batch 4 --exits-at 3 --arch norm",
            data, model)
        .succeeded();
    tiny = new TinyCommands(model, shared.resolve("exits"), data);
    tiny.run("add-exits --at 1,3 --seed 3 --out %s", tiny.exits()).succeeded();
  }

  @Test
  void theFolderSaysWhatIsUsedAgain() {
    JsonObject config = Json.read(tiny.model().resolve("config.json"));
    assertThat(config.getString("model_type")).isEqualTo("zero_token_transformer");
    assertThat(config.getInt("num_hidden_layers", 1, 99)).isEqualTo(4);
    assertThat(config.getInt("num_cycles", 1, 99)).isEqualTo(2);
    assertThat(config.getBoolean("zero_token", false)).isTrue();
  }

  @Test
  void exitsBetweenCyclesAreTunedScoredAndTaken() {
    Path tuned = temp.resolve("tuned");
    tiny.tune(tiny.exits(), tuned, "").succeeded();
    JsonObject score = tiny.run("score --exits %s --file %s --json", tuned, tiny.data()).json();
    assertThat(TinyCommands.heads(score)).containsExactly(1L, 3L, "final");
    JsonObject pretrained =
        tiny.run("score --exits %s --file %s --json", tiny.model(), tiny.data()).json();
    assertThat(TinyCommands.heads(pretrained)).containsExactly(3L, "final");
    JsonObject taken = tiny.generate("--exits %s --threshold 0 --max-tokens 8", tuned).json();
    assertThat(TinyCommands.exitsOf(taken)).contains(1L);
  }

  @Test
  void exitsThatAreNeverTakenAndDraftsLeaveTheTextOfFullDepth() {
    JsonObject full = tiny.generate("--max-tokens 12").json();
    for (String more : new String[] {"--threshold 1", "--strategy speculative"}) {
      JsonObject other = tiny.generate("--exits %s --max-tokens 12 " + more, tiny.exits()).json();
      assertThat(TinyCommands.ids(other)).as(more).isEqualTo(TinyCommands.ids(full));
    }
  }

  @Test
  void whatCannotBeDoneIsRefusedByOneLine() {
    refused(
        CommandLineRun.line("convert %s --out %s", tiny.model(), temp.resolve("m.gguf")), "GGUF");
    DecoderConfig config = HfConfig.read(tiny.model()).decoder();
    assertThatThrownBy(() -> new DecodingStages(config, List.of(), List.of(3, 6)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("uses its layers 2 to 3 2 times over");
    String start = "pretrain --threads 1 --data %s --out %s --steps 2 --seq-len 16 --vocab 270 ";
    Path out = temp.resolve("out");
    for (String[] wrong :
        new String[][] {
          {"--cycles 0", "--cycles 0 is outside 1"},
          {"--cycles 2 --layers 2", "--layers 3 or more, not 2"},
          {"--no-zero-token", "--no-zero-token is for models of --cycles 2"},
          {"--cycles 2 --layers 4 --exits-at 7", "7"}
        }) {
      refused(CommandLineRun.line(start + wrong[0], tiny.data(), out), wrong[1]);
    }
  }

  private static void refused(CommandLineRun run, String part) {
    assertThat(run.code()).isNotZero();
    assertThat(run.err()).contains(part);
    assertThat(run.err().strip().lines()).hasSize(1);
  }
}
