package dev.sortie.parallel.comm.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.shm.ThreadTransport;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** When a wait is given up, by a clock that the test moves. */
@Tag("any-kernels")
class IdleStrategyContractTest {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  /** Some more than those in which a wait only spins and yields, and does not look at the clock. */
  private static final int FIRST_TURNS = 1000;

  private final Transport transport = ThreadTransport.world(1).getFirst();
  private long clock;
  private final IdleStrategy idle = new IdleStrategy(transport, DEADLINE, () -> clock);

  @AfterEach
  void close() {
    transport.close();
  }

  private void turn(Duration time) {
    clock += time.toNanos();
    idle.idle(() -> "rank 0 waits");
  }

  private void turns(int count, Duration time) {
    for (int i = 0; i < count; i++) {
      turn(time);
    }
  }

  @Test
  void nothingBeforeTheDeadlineFailsTheJob() {
    turns(FIRST_TURNS, Duration.ZERO);
    turns(119, Duration.ofMillis(500));
    assertThat(transport.failure()).isEmpty();
    assertThatThrownBy(() -> turns(2, Duration.ofMillis(500)))
        .isInstanceOf(CommException.class)
        .hasMessage("rank 0 waits: nothing came within 60000 ms");
    assertThat(transport.failure()).isPresent();
  }

  /** As of a job that a scheduler suspends: this process did not look either. */
  @Test
  void timeInWhichThisProcessWasStoppedDoesNotCount() {
    turns(FIRST_TURNS, Duration.ZERO);
    turns(30, Duration.ofMillis(500));
    turn(DEADLINE.multipliedBy(10));
    turns(80, Duration.ofMillis(500));
    assertThat(transport.failure()).isEmpty();
    assertThatThrownBy(() -> turns(20, Duration.ofMillis(500))).isInstanceOf(CommException.class);
  }

  @Test
  void somethingThatCameBeginsTheWaitAnew() {
    turns(FIRST_TURNS, Duration.ZERO);
    turns(100, Duration.ofMillis(500));
    idle.reset();
    turns(FIRST_TURNS, Duration.ZERO);
    turns(100, Duration.ofMillis(500));
    assertThat(transport.failure()).isEmpty();
  }
}
