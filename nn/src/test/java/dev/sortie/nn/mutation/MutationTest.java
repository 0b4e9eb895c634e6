package dev.sortie.nn.mutation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.mutation.MutationRun;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files with random damage are read or refused in one line; nothing else may happen, and not for
 * long. A short run belongs to all tests; a long one with a new seed is the profile {@code
 * nightly}.
 */
@Tag("any-kernels")
class MutationTest {
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  @TempDir private Path temp;

  @Test
  void aThousandDamagedFilesAreReadOrRefused() throws IOException {
    MutationRun run = run(1, Duration.ofSeconds(60), 1500);
    assertThat(run.cases()).isGreaterThan(500);
    assertThat(run.refused())
        .as("damage is seen, but not always")
        .isBetween(100L, run.cases() - 10);
  }

  @Test
  @Tag("nightly")
  void damagedFilesAreReadOrRefusedAllNight() throws IOException {
    long seed = Long.getLong("sortie.mutation.seed", System.nanoTime() >>> 10);
    double minutes = Double.parseDouble(System.getProperty("sortie.mutation.minutes", "10"));
    run(seed, Duration.ofMillis((long) (minutes * 60_000)), Long.MAX_VALUE);
  }

  private MutationRun run(long seed, Duration time, long most) throws IOException {
    try (Device device = Device.cpu(1)) {
      MutationRun run =
          new MutationRun(
              new Subjects(temp, device).all(),
              seed,
              DEADLINE,
              Path.of(System.getProperty("sortie.mutation.findings", "target/mutation-findings")));
      run.requireRightFiles();
      run.replay(Path.of("src/test/mutation-corpus"));
      run.run(time, most);
      assertThat(run.findings()).as(run.summary()).isEmpty();
      assertThat(run.fewest()).as("each subject has its cases: %s", run.summary()).isPositive();
      return run;
    }
  }
}
