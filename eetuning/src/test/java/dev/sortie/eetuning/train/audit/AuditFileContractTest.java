package dev.sortie.eetuning.train.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One run at a time writes a record, and what it has written is in the file. */
@Tag("any-kernels")
@Timeout(60)
class AuditFileContractTest {
  private static final int RUNS = 4;
  private static final int TRIES = 50;
  private static final List<String> LEAVES = List.of("0".repeat(64));
  private static final AuditHeader HEADER =
      new AuditHeader(
          "tune", Map.of(), Map.of("seed", 1L), "scalar", List.of("exits.1.norm"), LEAVES);
  private static final StepEvidence STEP =
      new StepEvidence(
          1,
          Sha256.of("data".getBytes(StandardCharsets.UTF_8)),
          0,
          Map.of("1", 0.5),
          Map.of("1", 0.25),
          LEAVES);

  @TempDir private Path folder;

  @Test
  void ofRunsThatBeginARecordAtOnceOneWritesIt() throws Exception {
    CyclicBarrier start = new CyclicBarrier(RUNS);
    try (ExecutorService runs = Executors.newFixedThreadPool(RUNS)) {
      for (int i = 0; i < TRIES; i++) {
        Path path = folder.resolve(i + ".jsonl");
        List<Future<AuditFile>> opened = new ArrayList<>();
        for (int run = 0; run < RUNS; run++) {
          opened.add(
              runs.submit(
                  () -> {
                    start.await();
                    try {
                      return AuditFile.open(path, HEADER, 0);
                    } catch (InputException e) {
                      assertThat(e).hasMessageContaining("another run writes this record");
                      return null;
                    }
                  }));
        }
        List<AuditFile> writing = new ArrayList<>();
        for (Future<AuditFile> file : opened) {
          if (file.get() != null) {
            writing.add(file.get());
          }
        }
        assertThat(writing).hasSize(1);
        writing.getFirst().append(STEP);
        writing.getFirst().close();
        assertThat(Files.readAllLines(path)).as("try %d", i).hasSize(2);
      }
    }
  }

  /** An earlier run was killed there. */
  @Test
  void theBeginningOfTheFirstLineIsMadeWhole() throws Exception {
    byte[] first = AuditLine.first(HEADER).bytes();
    for (int length : new int[] {0, 1, first.length - 1}) {
      Path path = Files.write(folder.resolve("cut"), Arrays.copyOf(first, length));
      AuditFile.open(path, HEADER, 0).close();
      assertThat(path).hasBinaryContent(first);
    }
  }

  @Test
  void aFileThatIsNoRecordStays() throws Exception {
    for (String text : List.of("x", "{}", "{\"format\":\"another\"}\n")) {
      Path path = Files.writeString(folder.resolve("other"), text);
      assertThatThrownBy(() -> AuditFile.open(path, HEADER, 0)).isInstanceOf(InputException.class);
      assertThat(path).hasContent(text);
    }
  }
}
