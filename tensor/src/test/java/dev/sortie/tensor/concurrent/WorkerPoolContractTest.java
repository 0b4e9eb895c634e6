package dev.sortie.tensor.concurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link WorkerPool} promises, also with more threads than cores. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkerPoolContractTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 9})
  void everyIndexRunsOnceInContiguousParts(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int n = 0; n < 40; n++) {
        for (int grain : new int[] {0, 1, 3, 40}) {
          AtomicIntegerArray seen = new AtomicIntegerArray(n + 1);
          AtomicInteger parts = new AtomicInteger();
          pool.range(
              n,
              grain,
              (from, to) -> {
                parts.incrementAndGet();
                for (int i = from; i < to; i++) {
                  seen.incrementAndGet(i);
                }
              });
          for (int i = 0; i < n; i++) {
            assertThat(seen.get(i)).as("index %d of %d, grain %d", i, n, grain).isEqualTo(1);
          }
          int expected = Math.max(1, Math.min(threads, n / Math.max(1, grain)));
          assertThat(parts.get())
              .as("parts of %d, grain %d", n, grain)
              .isEqualTo(n == 0 ? 0 : expected);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 9})
  void aTaskRunsOnceForEveryThread(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int repeat = 0; repeat < 200; repeat++) {
        AtomicIntegerArray runs = new AtomicIntegerArray(threads);
        pool.run((t, all) -> runs.addAndGet(t, all));
        for (int t = 0; t < threads; t++) {
          assertThat(runs.get(t)).isEqualTo(threads);
        }
      }
    }
  }

  /** Pauses end before, while and after a thread goes from spinning to parking. */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void noWakeUpIsLostWhateverThePauses(int threads) {
    SplittableRandom random = new SplittableRandom(threads);
    long[] sums = new long[threads * 16];
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(700);
    long regions = 0;
    try (WorkerPool pool = new WorkerPool(threads)) {
      while (System.nanoTime() < end) {
        pause(random.nextInt(3), random.nextInt(400_000));
        int busy = random.nextInt(3);
        int nanos = random.nextInt(1, 300_000);
        int slow = random.nextInt(2 * threads);
        pool.run(
            (t, all) -> {
              if (t == slow) {
                pause(busy, nanos);
              }
              sums[t * 16]++; // plain, since regions order what their threads see
            });
        regions++;
        for (int t = 0; t < threads; t++) {
          assertThat(sums[t * 16]).isEqualTo(regions);
        }
      }
    }
  }

  private static void pause(int kind, int nanos) {
    if (kind == 1) {
      LockSupport.parkNanos(nanos);
    } else if (kind == 2) {
      long start = System.nanoTime();
      while (System.nanoTime() - start < nanos) {
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void partsMayMeet() throws Exception {
    CyclicBarrier barrier = new CyclicBarrier(3);
    try (WorkerPool pool = new WorkerPool(3)) {
      AtomicInteger met = new AtomicInteger();
      for (int repeat = 0; repeat < 100; repeat++) {
        pool.range(
            3,
            1,
            (from, to) -> {
              try {
                barrier.await();
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
              met.incrementAndGet();
            });
      }
      assertThat(met.get()).isEqualTo(300);
    }
  }

  @Test
  void regionsInsideARegionRunWholeOnTheirThread() {
    try (WorkerPool pool = new WorkerPool(3)) {
      List<String> calls = new ArrayList<>();
      pool.run(
          (t, all) -> {
            Thread outer = Thread.currentThread();
            pool.range(
                100,
                1,
                (from, to) -> {
                  synchronized (calls) {
                    calls.add(from + "-" + to + " " + (Thread.currentThread() == outer));
                  }
                });
          });
      assertThat(calls).containsExactly("0-100 true", "0-100 true", "0-100 true");
    }
  }

  @Test
  void severalCallersAtOnceGetTheirOwnResults() throws Exception {
    try (WorkerPool pool = new WorkerPool(3);
        var executor = Executors.newFixedThreadPool(4)) {
      List<Future<?>> callers = new ArrayList<>();
      for (int caller = 0; caller < 4; caller++) {
        int salt = caller;
        callers.add(
            executor.submit(
                () -> {
                  int[] out = new int[50];
                  for (int repeat = 0; repeat < 3000; repeat++) {
                    int value = salt + 4 * repeat;
                    pool.range(50, 1, (from, to) -> Arrays.fill(out, from, to, value));
                    assertThat(out).containsOnly(value);
                  }
                }));
      }
      for (Future<?> caller : callers) {
        caller.get();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void anExceptionTravelsFromEveryPartAndThePoolContinues(int failing) {
    try (WorkerPool pool = new WorkerPool(3)) {
      for (int repeat = 0; repeat < 50; repeat++) {
        IllegalArgumentException thrown = new IllegalArgumentException("part " + failing);
        assertThatThrownBy(
                () ->
                    pool.run(
                        (t, all) -> {
                          if (t == failing) {
                            throw thrown;
                          }
                        }))
            .isSameAs(thrown);
        AtomicInteger runs = new AtomicInteger();
        pool.run((t, all) -> runs.incrementAndGet());
        assertThat(runs.get()).isEqualTo(3);
      }
    }
  }

  @Test
  void theFirstExceptionTravelsWithTheOthersSuppressed() {
    try (WorkerPool pool = new WorkerPool(3)) {
      CountDownLatch first = new CountDownLatch(1);
      assertThatThrownBy(
              () ->
                  pool.run(
                      (t, all) -> {
                        if (t == 2) {
                          first.countDown();
                          throw new AssertionError("first");
                        }
                        await(first);
                        LockSupport.parkNanos(50_000_000);
                        throw new IllegalStateException("later");
                      }))
          .isInstanceOf(AssertionError.class)
          .hasMessage("first")
          .satisfies(
              e ->
                  assertThat(e.getSuppressed())
                      .hasSize(2)
                      .allMatch(s -> "later".equals(s.getMessage())));
    }
  }

  private static void await(CountDownLatch latch) {
    while (latch.getCount() > 0) {
      LockSupport.parkNanos(100_000);
    }
  }

  @Test
  void oneExceptionThrownByAllPartsIsNotItsOwnSuppressed() {
    IllegalStateException shared = new IllegalStateException("shared");
    try (WorkerPool pool = new WorkerPool(4)) {
      assertThatThrownBy(
              () ->
                  pool.run(
                      (t, all) -> {
                        throw shared;
                      }))
          .isSameAs(shared);
      assertThat(shared.getSuppressed()).isEmpty();
    }
  }

  @Test
  void aCallerThatWasInterruptedStillWaitsForAllPartsAndStaysInterrupted() {
    try (WorkerPool pool = new WorkerPool(2)) {
      Thread.currentThread().interrupt();
      AtomicInteger ended = new AtomicInteger();
      pool.run(
          (t, all) -> {
            pause(2, t == 0 ? 50_000 : 3_000_000);
            ended.incrementAndGet();
          });
      assertThat(ended.get()).isEqualTo(2);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void aClosedPoolEndsItsThreadsAndRefusesRegions() throws InterruptedException {
    List<Thread> workers = new ArrayList<>();
    WorkerPool pool = new WorkerPool(3);
    CyclicBarrier barrier = new CyclicBarrier(3);
    pool.run(
        (t, all) -> {
          try {
            barrier.await();
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
          if (t > 0) {
            synchronized (workers) {
              workers.add(Thread.currentThread());
            }
          }
        });
    pool.close();
    pool.close();
    for (Thread worker : workers) {
      worker.join(10_000);
      assertThat(worker.isAlive()).isFalse();
    }
    assertThatThrownBy(() -> pool.run((t, all) -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void aRegionCannotCloseItsPool() {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int part = 0; part < 2; part++) {
        int closing = part;
        Runnable close = pool::close;
        assertThatThrownBy(
                () ->
                    pool.run(
                        (t, all) -> {
                          if (t == closing) {
                            close.run();
                          }
                        }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("closed by a region");
      }
    }
  }

  @Test
  void aPoolHasAtLeastOneThread() {
    assertThatThrownBy(() -> new WorkerPool(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 0");
  }
}
