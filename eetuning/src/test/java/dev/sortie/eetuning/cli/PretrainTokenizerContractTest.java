package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.text.format.TokenizerJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run of {@code pretrain} keeps the tokenizer that it has begun with. */
@Tag("any-kernels")
class PretrainTokenizerContractTest {
  @TempDir private Path temp;
  private Path data;
  private Path run;

  @BeforeEach
  void writeText() throws IOException {
    data = Files.writeString(temp.resolve("data.txt"), TinyModel.TEXT.repeat(20));
    run = temp.resolve("run");
  }

  private CommandLineRun pretrain(Path out, String more, Object... args) {
    return CommandLineRun.line(
        "pretrain --threads 1 --data "
            + data
            + " --out "
            + out
            + " --layers 2 --hidden 16 --heads 2 --ffn 24 --steps 2 --seq-len 16 --micro-batch 2 "
            + more,
        args);
  }

  @Test
  void anotherTokenizerIsRefusedAndTheRunStaysAsItIs() throws IOException {
    pretrain(run, "--vocab 280").succeeded();
    byte[] before = Files.readAllBytes(run.resolve("tokenizer.json"));
    pretrain(temp.resolve("other"), "--vocab 270").succeeded();
    Path other = temp.resolve("other/tokenizer.json");
    pretrain(run, "--tokenizer %s", other)
        .assertRefused(1, run.resolve("tokenizer.json") + ": differs from --tokenizer " + other);
    pretrain(run, "--vocab 270").assertRefused(1, "has 280 tokens, --vocab asks for 270");
    assertThat(pretrain(run, "--vocab 290").err())
        .contains("sortie: ", "has 280 tokens, --vocab asks for 290");
    assertThat(run.resolve("tokenizer.json")).hasBinaryContent(before);
    pretrain(run, "--vocab 280").succeeded();
    pretrain(run, "--tokenizer %s", run.resolve("tokenizer.json")).succeeded();
    pretrain(run, "").succeeded();
  }

  @Test
  void aTextWithFewerTokensThanAskedForResumes() {
    pretrain(run, "--vocab 4000").succeeded();
    assertThat(TokenizerJson.read(run.resolve("tokenizer.json")).vocabSize()).isLessThan(1000);
    pretrain(run, "--vocab 4000").succeeded();
  }
}
