package dev.sortie.parallel.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Timeout(30)
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the commands are for a POSIX shell")
@Tag("any-kernels")
class LauncherContractTest {
  private static final Duration PAUSE = Duration.ofMillis(50);

  private final List<String> out = new CopyOnWriteArrayList<>();
  private final List<String> err = new CopyOnWriteArrayList<>();

  private Launcher launcher(int ranks, int restarts, Duration grace, String script) {
    return new Launcher(
        new Launcher.Options(ranks, List.of("/bin/sh", "-c", script), restarts, PAUSE, grace),
        line -> out.add(line.toString()),
        line -> err.add(line.toString()));
  }

  @Test
  void eachRankKnowsItsNumberAndLinesCarryIt() throws Exception {
    int code =
        launcher(
                3,
                0,
                Duration.ofSeconds(5),
                "echo rank $RANK of $WORLD_SIZE; echo low >&2; test ${#SORTIE_JOB_TOKEN} = 64")
            .run();
    assertThat(code).isZero();
    assertThat(out)
        .containsExactlyInAnyOrder("[0] rank 0 of 3", "[1] rank 1 of 3", "[2] rank 2 of 3");
    assertThat(err).containsExactlyInAnyOrder("[0] low", "[1] low", "[2] low");
  }

  @Test
  void theFirstBadExitCodeIsReturnedAndTheOthersAreEnded() throws Exception {
    long from = System.nanoTime();
    int code =
        launcher(
                3,
                0,
                Duration.ofMillis(300),
                "if [ $RANK = 1 ]; then exit 7; fi; trap 'echo asked; exit 9' TERM; sleep 20 &"
                    + " wait")
            .run();
    assertThat(code).isEqualTo(7);
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(10));
    assertThat(out).contains("[0] asked", "[2] asked");
    assertThat(err).contains("launch: rank 1 ended with exit code 7");
  }

  @Test
  void whatARankHasStartedEndsWithIt() throws Exception {
    int code =
        launcher(
                2,
                0,
                Duration.ofMillis(300),
                "if [ $RANK = 0 ]; then sleep 0.5; exit 3; fi; sleep 60 & echo $!; wait")
            .run();
    assertThat(code).isEqualTo(3);
    long child = Long.parseLong(out.getFirst().substring("[1] ".length()));
    ProcessHandle.of(child)
        .ifPresent(p -> assertThat(p.onExit()).succeedsWithin(Duration.ofSeconds(10)));
  }

  /** The child keeps the output open. */
  @Test
  void withoutAGraceAChildThatOutlivesItsRankIsNotWaitedFor() throws Exception {
    long from = System.nanoTime();
    assertThat(launcher(1, 0, Duration.ZERO, "sleep 20 & echo $!").run()).isZero();
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(10));
    long child = Long.parseLong(out.getFirst().substring("[0] ".length()));
    ProcessHandle.of(child).ifPresent(ProcessHandle::destroy);
  }

  @Test
  void aRankThatIgnoresTheSignalIsKilled() throws Exception {
    int code =
        launcher(
                2,
                0,
                Duration.ofMillis(300),
                "if [ $RANK = 0 ]; then sleep 0.2; exit 3; fi; trap '' TERM; exec sleep 60")
            .run();
    assertThat(code).isEqualTo(3);
  }

  @Test
  void ranksAreStartedAgainUpToTheLimitWithAnotherGeneration() throws Exception {
    int code =
        launcher(
                2,
                2,
                Duration.ofSeconds(2),
                "echo start $SORTIE_RESTART_COUNT; test $SORTIE_RESTART_COUNT = 1")
            .run();
    assertThat(code).isZero();
    assertThat(out)
        .containsExactlyInAnyOrder("[0] start 0", "[1] start 0", "[0] start 1", "[1] start 1");
    assertThat(launcher(2, 1, Duration.ofSeconds(2), "exit 4").run()).isEqualTo(4);
  }

  @Test
  void endingTheLauncherEndsTheRanksAndRestartsNothing() throws Exception {
    Launcher launcher =
        launcher(2, 5, Duration.ofSeconds(5), "trap 'exit 5' TERM; echo up; sleep 20 & wait");
    endOnceUp(launcher);
    assertThat(launcher.run()).isEqualTo(5);
    assertThat(out).containsExactlyInAnyOrder("[0] up", "[1] up");
  }

  /** Ends it when two ranks have said that they are up. */
  private void endOnceUp(Launcher launcher) {
    endOnce(() -> out.size() >= 2, launcher);
  }

  private static void endOnce(BooleanSupplier condition, Launcher launcher) {
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              while (!condition.getAsBoolean()) {
                LockSupport.parkNanos(1_000_000);
              }
              launcher.end();
            });
  }

  @Test
  void ranksThatIgnoreTheEndOfTheirLauncherAreKilledAfterTheGrace() throws Exception {
    Launcher launcher =
        launcher(2, 0, Duration.ofMillis(300), "trap '' TERM; echo up; exec sleep 60");
    endOnceUp(launcher);
    long from = System.nanoTime();
    assertThat(launcher.run()).isEqualTo(128 + 9);
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(10));
  }

  @Test
  void restartsWaitLongerEachTime() throws Exception {
    long from = System.nanoTime();
    assertThat(launcher(1, 3, Duration.ofSeconds(2), "exit 4").run()).isEqualTo(4);
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isGreaterThan(PAUSE.multipliedBy(7));
    assertThat(err)
        .contains(
            "launch: restart 1 of 3 in 0.1 s",
            "launch: restart 2 of 3 in 0.1 s",
            "launch: restart 3 of 3 in 0.2 s");
  }

  @Test
  void theLongestPauseIsAMinute() {
    Launcher.Options options =
        new Launcher.Options(
            1, List.of("true"), 100, Launcher.Options.USUAL_PAUSE, Duration.ofSeconds(1));
    assertThat(options.pause(0)).isEqualTo(Duration.ofSeconds(1));
    assertThat(options.pause(5)).isEqualTo(Duration.ofSeconds(32));
    assertThat(options.pause(6)).isEqualTo(Duration.ofMinutes(1));
    assertThat(options.pause(99)).isEqualTo(Duration.ofMinutes(1));
  }

  @Test
  void aPauseEndsWithTheJob() throws Exception {
    Launcher.Options options =
        new Launcher.Options(
            1,
            List.of("/bin/sh", "-c", "echo up; exit 4"),
            9,
            Duration.ofSeconds(50),
            Duration.ofSeconds(1));
    Launcher launcher =
        new Launcher(options, line -> out.add(line.toString()), line -> err.add(line.toString()));
    endOnce(
        () -> err.stream().anyMatch(line -> line.contains("restart 1 of 9 in 50.0 s")), launcher);
    assertThat(launcher.run()).isEqualTo(4);
    assertThat(out).containsExactly("[0] up");
  }

  @Test
  void whatCannotBeStartedIsRefused() {
    assertThatThrownBy(
            () ->
                new Launcher(
                        new Launcher.Options(
                            1, List.of("/no/such/program"), 0, PAUSE, Duration.ofSeconds(1)),
                        line -> out.add(line.toString()),
                        line -> err.add(line.toString()))
                    .run())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("cannot start /no/such/program");
    assertThatThrownBy(() -> launcher(0, 0, Duration.ofSeconds(1), "true"))
        .hasMessageContaining("--nproc 0");
    assertThatThrownBy(() -> launcher(Integer.MAX_VALUE, 0, Duration.ofSeconds(1), "true"))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("1 to 1024 ranks", "--nproc 2147483647");
    assertThatThrownBy(() -> launcher(1, 0, Duration.ofSeconds(-1), "true"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--grace of -1.0 s is less than 0");
  }
}
