package dev.sortie.parallel.comm.transport.mpi;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
class PeerSilenceContractTest {
  private static final Duration TURN = Duration.ofMillis(2);
  private static final Duration LONGEST = Duration.ofMillis(500);

  private long clock = -7;
  private final PeerSilence silence = new PeerSilence(2, LONGEST, clock);

  private void turn(Duration time) {
    clock += time.toNanos();
    silence.turn(clock);
  }

  @Test
  void itLastsUntilTheRankIsHeard() {
    turn(TURN);
    silence.heard(1);
    turn(TURN);
    turn(TURN);
    assertThat(silence.of(0)).isEqualTo(TURN.multipliedBy(3));
    assertThat(silence.of(1)).isEqualTo(TURN.multipliedBy(2));
  }

  /** As of a job that a scheduler suspends: this process did not listen either. */
  @Test
  void timeInWhichThisProcessWasStoppedDoesNotCount() {
    turn(TURN);
    turn(Duration.ofHours(8));
    assertThat(silence.of(0)).isEqualTo(TURN.plus(LONGEST));
    turn(TURN);
    assertThat(silence.of(0)).isEqualTo(TURN.plus(LONGEST).plus(TURN));
  }
}
