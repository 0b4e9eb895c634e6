package dev.sortie.parallel.comm.transport.shm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Failure;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Two threads that meet on the memory of processes, some thousand times, in the manner of jcstress:
 * every outcome that was seen must be one that is allowed.
 */
@Timeout(60)
@Tag("any-kernels")
class RingStressTest {
  private static final int REPETITIONS = 5_000;
  private static final long CAPACITY = 64;

  /** What one of the threads does in a repetition; its outcome. */
  private interface Actor {
    void act(int repetition) throws Exception;
  }

  /** Both begin each repetition together, as nearly as spinning gets them there. */
  private static void together(int repetitions, Runnable before, Actor one, Actor other)
      throws Exception {
    CyclicBarrier begin = new CyclicBarrier(2, before);
    AtomicInteger ready = new AtomicInteger();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Future<?> first = threads.submit(() -> repeat(repetitions, begin, ready, one));
      Future<?> second = threads.submit(() -> repeat(repetitions, begin, ready, other));
      first.get();
      second.get();
    }
  }

  private static Void repeat(int repetitions, CyclicBarrier begin, AtomicInteger ready, Actor actor)
      throws Exception {
    for (int i = 0; i < repetitions; i++) {
      begin.await();
      ready.incrementAndGet();
      for (int spins = 0; ready.get() < 2 * (i + 1) && spins < 10_000; spins++) {
        Thread.onSpinWait();
      }
      actor.act(i);
    }
    return null;
  }

  /** Next to their stamp, and in the data. */
  @ParameterizedTest
  @ValueSource(ints = {56, 64})
  void bytesAreSeenWholeOrNotAtAll(int bytes) throws Exception {
    Set<String> outcomes = new ConcurrentSkipListSet<>();
    MemorySegment[] ring = new MemorySegment[1];
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(RingLayout.bytes(CAPACITY), 128);
      MemorySegment from = arena.allocate(bytes);
      MemorySegment into = arena.allocate(bytes);
      ByteRing[] ends = new ByteRing[2];
      together(
          REPETITIONS,
          () -> {
            ring[0] = memory.fill((byte) 0);
            into.fill((byte) 0);
            ends[0] = new ByteRing(ring[0]);
            ends[1] = new ByteRing(ring[0]);
          },
          i -> {
            from.set(JAVA_LONG, 0, 0x1111111111111111L);
            from.set(JAVA_LONG, bytes - 8L, i);
            ends[0].write(from, 0);
          },
          i -> {
            long n = ends[1].read(into, 0);
            boolean right =
                n == 0
                    || into.get(JAVA_LONG, 0) == 0x1111111111111111L
                        && into.get(JAVA_LONG, bytes - 8L) == i;
            outcomes.add(n + (right ? " right" : " wrong"));
          });
    }
    assertThat(outcomes).isSubsetOf("0 right", bytes + " right").isNotEmpty();
  }

  @Test
  void aRingWhoseCellsAreAllFilledTakesNoMoreUntilOneIsEmptied() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(RingLayout.bytes(CAPACITY), 128);
      ByteRing producer = new ByteRing(memory);
      ByteRing consumer = new ByteRing(memory);
      MemorySegment one = arena.allocate(1);
      for (int i = 0; i < 3 * RingLayout.CELLS; i++) {
        one.set(JAVA_BYTE, 0, (byte) i);
        if (i < RingLayout.CELLS) {
          assertThat(producer.write(one, 0)).isEqualTo(1);
        } else {
          assertThat(producer.write(one, 0)).isZero();
          assertThat(consumer.read(one, 0)).isEqualTo(1);
          assertThat(one.get(JAVA_BYTE, 0)).isEqualTo((byte) (i - RingLayout.CELLS));
          one.set(JAVA_BYTE, 0, (byte) i);
          assertThat(producer.write(one, 0)).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void aStreamThroughASmallRingArrivesInOrderWhateverThePieces() throws Exception {
    Set<String> wrong = new ConcurrentSkipListSet<>();
    int bytes = 5_000;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(RingLayout.bytes(CAPACITY), 128);
      ByteRing[] ends = new ByteRing[2];
      MemorySegment out = arena.allocate(bytes);
      MemorySegment in = arena.allocate(bytes);
      Random writes = new Random(1);
      Random reads = new Random(2);
      together(
          REPETITIONS / 50,
          () -> {
            memory.fill((byte) 0);
            in.fill((byte) 0);
            ends[0] = new ByteRing(memory);
            ends[1] = new ByteRing(memory);
          },
          i -> {
            for (int k = 0; k < bytes; k++) {
              out.set(JAVA_BYTE, k, (byte) (k * 7 + i));
            }
            for (long at = 0; at < bytes; ) {
              long end = Math.min(bytes, at + 1 + writes.nextInt(90));
              for (long n; at < end; at += n) {
                n = ends[0].write(out.asSlice(0, end), at);
                pause(n);
              }
            }
          },
          i -> {
            for (long at = 0; at < bytes; ) {
              long end = Math.min(bytes, at + 1 + reads.nextInt(90));
              for (long n; at < end; at += n) {
                n = ends[1].read(in.asSlice(0, end), at);
                pause(n);
              }
            }
            for (int k = 0; k < bytes; k++) {
              if (in.get(JAVA_BYTE, k) != (byte) (k * 7 + i)) {
                wrong.add("repetition " + i + ", byte " + k);
              }
            }
          });
    }
    assertThat(wrong).isEmpty();
  }

  private static void pause(long moved) {
    if (moved == 0) {
      Thread.yield();
    }
  }

  @Test
  void ofTwoFailuresAtOnceOneIsKeptWhole() throws Exception {
    Set<String> outcomes = new ConcurrentSkipListSet<>();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(ControlLayout.bytes(2), 128);
      Control[] controls = new Control[2];
      Failure[] failures = {
        new Failure(CommException.Kind.LOST_RANK, "rank 1 is gone ".repeat(20)),
        new Failure(CommException.Kind.ABORTED, "rank 0 gave up")
      };
      together(
          REPETITIONS,
          () -> {
            memory.fill((byte) 0);
            controls[0] = new Control(memory);
            controls[1] = new Control(memory);
          },
          i -> {
            controls[0].fail(failures[0]);
            outcomes.add(seen(controls[0], failures));
          },
          i -> {
            controls[1].fail(failures[1]);
            outcomes.add(seen(controls[1], failures));
          });
    }
    assertThat(new TreeSet<>(outcomes)).isSubsetOf("nothing yet", "first", "second").isNotEmpty();
  }

  /** A failure that another rank is writing at this moment cannot be seen yet. */
  private static String seen(Control control, Failure[] failures) {
    Optional<Failure> seen = control.failure();
    if (seen.isEmpty()) {
      return "nothing yet";
    }
    return seen.get().equals(failures[0])
        ? "first"
        : seen.get().equals(failures[1]) ? "second" : "mixed: " + seen.get();
  }
}
