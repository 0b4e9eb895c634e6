package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run keeps the share of the data that it has begun to hold out: another one would be another
 * order of training, and windows held out that were trained on before.
 */
@Tag("any-kernels")
class HeldOutShareContractTest {
  private static final String TUNE =
      "tune --exits %s --data %s --out %s --steps 4 --seq-len 16 --checkpoint-every 2 --held-out ";
  private static final String PRETRAIN =
      "pretrain --threads 1 --data %s --out %s --vocab 280 --layers 2 --hidden 16 --heads 2 --ffn 24 --steps 2 --seq-len 16 --micro-batch 2 --held-out ";

  @TempDir private Path temp;
  private TinyCommands tiny;
  private Path out;

  @BeforeEach
  void makeModel() throws IOException {
    tiny = TinyCommands.in(temp);
    out = temp.resolve("run");
  }

  @Test
  void tuneWithAnotherShareIsRefused() {
    tiny.run(TUNE + "0.1", tiny.exits(), tiny.data(), out).succeeded();
    tiny.run(TUNE + "0.2", tiny.exits(), tiny.data(), out)
        .assertRefused(1, "step-000004", "begun with held_out_windows", "now it is");
    tiny.run(TUNE + "0.1", tiny.exits(), tiny.data(), out).succeeded();
  }

  @Test
  void pretrainWithAnotherShareIsRefused() {
    CommandLineRun.line(PRETRAIN + "0.1", tiny.data(), out).succeeded();
    CommandLineRun other = CommandLineRun.line(PRETRAIN + "0.2", tiny.data(), out);
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err()).contains("step-000002", "begun with held_out_windows 11, now it is 21");
    CommandLineRun.line(PRETRAIN + "0.1", tiny.data(), out).succeeded();
  }

  /** A record of before checkpoints had the number goes on, and is replayed. */
  @Test
  void auditRecordsDoWithoutTheNumber() throws IOException {
    Path record = temp.resolve("audit.jsonl");
    tiny.run(TUNE + "0.1 --audit %s", tiny.exits(), tiny.data(), out, record).succeeded();
    assertThat(out.resolve("checkpoints/step-000004/state.json"))
        .content()
        .contains("held_out_windows");
    assertThat(Files.readString(record)).contains("seq_len").doesNotContain("held_out_windows");
    CommandLineRun.line("audit verify %s --run %s --threads 1", record, out).succeeded();
  }
}
