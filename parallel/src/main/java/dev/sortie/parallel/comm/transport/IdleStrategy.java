package dev.sortie.parallel.comm.transport;

import dev.sortie.parallel.comm.CommException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What a waiting loop does while nothing comes: spins, then yields, then parks for longer and
 * longer, as Aeron's back-off idle strategy. Sees when the job has failed, and fails it when
 * nothing came before the deadline. One for each waiting loop.
 *
 * <p>Time in which this process did not run does not count: where all were stopped, by a scheduler
 * or job control, nobody was late.
 */
public final class IdleStrategy {
  /**
   * Turns before the first yield, enough for a peer with a core of its own to answer. None where
   * ranks outnumber cores, for then the peer waits for this very core.
   */
  private static final int SPINS = 512;

  /**
   * While it spins, one turn of these many checks the state of the job: a check takes longer than a
   * turn, and a short message would wait for it.
   */
  private static final int CHECK = 16;

  /** Asked once: the JVM asks the system each time, which costs more than a short message. */
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  private static final int YIELDS = 400;

  /**
   * How long a rank with a core of its own keeps yielding: one that is parked finds what has come
   * up to {@link #LAST_PARK} later, and each token waits for two messages between stages. Decoding
   * on two stages, SmolLM2-135M in BF16 on two Zen 5 cores: 80.5 and 81.6 tokens/s, 75.5 and 78.4
   * without. Where other work wants the core, each yield gives it a slice.
   */
  private static final long YIELD_NANOS = 20_000_000;

  private static final long FIRST_PARK = 20_000;
  private static final long LAST_PARK = 1_000_000;
  private static final long REASON_NANOS = 500_000_000;

  /** What a turn counts at most, far above what a park takes even where many share a core. */
  private static final long LONGEST_TURN = 1_000_000_000;

  private final Transport transport;
  private final Duration deadline;
  private final LongSupplier clock;
  private final int spins;
  private int turns;
  private long park = FIRST_PARK;
  private long waited;
  private long last;

  /** A wait of at most {@code deadline} without progress. */
  public IdleStrategy(Transport transport, Duration deadline) {
    this(transport, deadline, System::nanoTime);
  }

  /** As above, by a clock of nanoseconds. */
  IdleStrategy(Transport transport, Duration deadline, LongSupplier clock) {
    this.transport = transport;
    this.deadline = deadline;
    this.clock = clock;
    this.spins = transport.neighbours() <= CORES ? SPINS : 0;
  }

  /** Something came: begins anew. */
  public void reset() {
    turns = 0;
    park = FIRST_PARK;
  }

  /** Whether this turn checks the state of the job, as all do that do not spin. */
  public boolean isCheckDue() {
    return turns >= spins || turns % CHECK == CHECK - 1;
  }

  /**
   * Nothing came: waits a little.
   *
   * @param what the wait, such as {@code rank 0 in all-reduce waits for rank 1}
   * @throws CommException if the job has failed or the deadline has passed
   */
  public void idle(Supplier<String> what) {
    if (isCheckDue()) {
      check(transport);
    }
    if (turns < spins) {
      turns++;
      Thread.onSpinWait();
      return;
    }
    if (turns == spins) {
      waited = 0;
      last = clock.getAsLong();
    }
    boolean yieldsLonger = spins > 0 && waited == 0 && clock.getAsLong() - last < YIELD_NANOS;
    if (turns < spins + YIELDS || yieldsLonger) {
      turns++;
      Thread.yield();
      return;
    }
    long now = clock.getAsLong();
    waited += Math.min(now - last, LONGEST_TURN);
    last = now;
    if (waited > deadline.toNanos()) {
      throw transport.failWith(
          new Failure(
              CommException.Kind.DEADLINE,
              what.get() + ": nothing came within " + deadline.toMillis() + " ms"));
    }
    LockSupport.parkNanos(park);
    park = Math.min(2 * park, LAST_PARK);
  }

  /**
   * Waits a little for the reason of trouble with a peer: a rank that gave up has said why on
   * another connection, and the thread that reads it may be a little behind.
   */
  public static void awaitFailure(Transport transport) {
    long end = System.nanoTime() + REASON_NANOS;
    while (transport.failure().isEmpty() && System.nanoTime() < end) {
      LockSupport.parkNanos(LAST_PARK);
    }
  }

  /** Fails if the job has failed. */
  public static void check(Transport transport) {
    Optional<Failure> failure = transport.failure();
    if (failure.isPresent()) {
      throw failure.get().exception();
    }
  }
}
