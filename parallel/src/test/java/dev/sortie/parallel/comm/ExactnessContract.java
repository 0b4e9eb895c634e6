package dev.sortie.parallel.comm;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The results of every call on every transport, for 1 to 8 ranks, with zero tolerance: whole
 * numbers whose sums are exact in any order, and fractions whose sums show the order.
 */
@Timeout(60)
abstract class ExactnessContract {
  static final CommOptions OPTIONS = CommOptions.defaults().withDeadline(Duration.ofSeconds(20));

  /**
   * Calls that there is more than one way to carry out, and the ways; sorted, for all ranks go
   * through them in one order.
   */
  static final Map<Operation, List<Algorithm>> ALGORITHMS =
      new TreeMap<>(
          Map.of(
              Operation.ALL_REDUCE,
              List.of(
                  Algorithm.GATHER,
                  Algorithm.EXCHANGE,
                  Algorithm.SHARED_MEMORY,
                  Algorithm.RING,
                  Algorithm.RECURSIVE_DOUBLING,
                  Algorithm.HALVING_DOUBLING),
              Operation.REDUCE_SCATTER,
              List.of(Algorithm.EXCHANGE, Algorithm.SHARED_MEMORY),
              Operation.ALL_GATHER,
              List.of(
                  Algorithm.EXCHANGE,
                  Algorithm.SHARED_MEMORY,
                  Algorithm.DISSEMINATION,
                  Algorithm.RING),
              Operation.BROADCAST,
              List.of(Algorithm.TREE, Algorithm.SCATTER_GATHER)));

  /** Algorithms whose sums are the left fold, by which BF16 is summed too. */
  private static final List<Algorithm> ASCENDING =
      List.of(Algorithm.GATHER, Algorithm.EXCHANGE, Algorithm.SHARED_MEMORY);

  /** A new job; the result joins it as one of the ranks. */
  abstract Job.Joining job(int ranks) throws Exception;

  /** Whether ranks see common memory. */
  abstract boolean hasSharedMemory();

  void run(int ranks, CommOptions options, Job.Body body) throws Exception {
    Job.run(ranks, job(ranks), options, body);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void collectivesOfWholeNumbersAreExact(int p) throws Exception {
    run(
        p,
        OPTIONS,
        c -> {
          for (ElementType type : ElementType.values()) {
            for (long count : new long[] {0, 1, p + 1, 2003}) {
              for (Order order : Order.values()) {
                new Exactness(c, type, order).all(count);
              }
            }
          }
        });
  }

  @Test
  void largeCollectivesAreExact() throws Exception {
    run(
        3,
        OPTIONS,
        c -> {
          for (ElementType type : List.of(ElementType.F32, ElementType.BF16)) {
            new Exactness(c, type, Order.ASCENDING).all(270_001);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void everyAlgorithmIsExactOnWholeNumbers(int p) throws Exception {
    for (Map.Entry<Operation, List<Algorithm>> entry : ALGORITHMS.entrySet()) {
      for (Algorithm algorithm : present(entry.getValue())) {
        Operation operation = entry.getKey();
        boolean sums = operation != Operation.ALL_GATHER && operation != Operation.BROADCAST;
        run(
            p,
            OPTIONS.withAlgorithm(operation, algorithm),
            c -> {
              new Exactness(c, ElementType.I32, Order.ASCENDING).one(operation, 1013);
              new Exactness(c, ElementType.I64, Order.ASCENDING).one(operation, 3);
              for (long count : new long[] {0, 1, 2 * p + 1, 30_001}) {
                new Exactness(c, ElementType.F32, Order.ANY).one(operation, count);
                if (!sums || ASCENDING.contains(algorithm)) {
                  new Exactness(c, ElementType.BF16, Order.ASCENDING).one(operation, count);
                }
              }
            });
      }
    }
  }

  private List<Algorithm> present(List<Algorithm> algorithms) {
    return algorithms.stream()
        .filter(a -> a != Algorithm.SHARED_MEMORY || hasSharedMemory())
        .toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void ascendingSumsHaveTheBitsOfTheLeftFoldWhateverTheAlgorithm(int p) throws Exception {
    for (Algorithm algorithm : present(ASCENDING)) {
      CommOptions options = OPTIONS.withAlgorithm(Operation.ALL_REDUCE, algorithm);
      if (algorithm != Algorithm.GATHER) {
        options = options.withAlgorithm(Operation.REDUCE_SCATTER, algorithm);
      }
      run(
          p,
          options,
          c -> {
            for (long count : new long[] {1, 5, 9_001}) {
              for (ElementType type : List.of(ElementType.F32, ElementType.BF16)) {
                LeftFold.check(c, type, count, false);
                LeftFold.check(c, type, count, true);
              }
            }
          });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void allRanksGetTheSameBitsInAnyOrder(int p) throws Exception {
    for (Algorithm algorithm : present(ALGORITHMS.get(Operation.ALL_REDUCE))) {
      run(
          p,
          OPTIONS.withAlgorithm(Operation.ALL_REDUCE, algorithm),
          c -> {
            for (long count : new long[] {1, 7, 20_001}) {
              LeftFold.sameEverywhere(c, count);
            }
          });
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8})
  void messagesOfAnyLengthArriveBetweenAllPairs(int p) throws Exception {
    run(
        p,
        OPTIONS,
        c -> {
          for (ElementType type : ElementType.values()) {
            for (long count : new long[] {0, 1, 77, 20_003}) {
              messages(c, type, count);
            }
          }
        });
  }

  private static void messages(Communicator c, ElementType type, long count) {
    int p = c.size();
    try (Arena arena = Arena.ofShared()) {
      Elements out = elements(arena, type, count);
      ExactNumbers.fill(out, c.position(), count);
      for (int distance = 1; distance < p; distance++) {
        int from = Math.floorMod(c.position() - distance, p);
        Elements in = elements(arena, type, count);
        Handle sent = c.startSend(out, (c.position() + distance) % p);
        c.receive(in, from);
        sent.await();
        ExactNumbers.expect(in, i -> ExactNumbers.whole(from, count + i));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 8})
  void callsThatRunInParallelToOthersAreExactToo(int p) throws Exception {
    run(
        p,
        OPTIONS,
        c -> {
          try (Arena arena = Arena.ofShared()) {
            List<Handle> handles = new ArrayList<>();
            List<Runnable> checks = new ArrayList<>();
            for (Operation operation : Operation.values()) {
              for (long count : new long[] {0, 1, 4099}) {
                Exactness.Prepared call =
                    new Exactness(c, ElementType.F32, Order.ANY).prepare(arena, operation, count);
                handles.add(c.start(call.call()));
                checks.add(call.check());
              }
            }
            handles.forEach(Handle::await);
            checks.forEach(Runnable::run);
          }
        });
  }

  /** Offsets beyond 32 bits; two ranks, 2 GiB and 8 bytes each. */
  @Test
  @Tag("nightly")
  @Timeout(300)
  void hugeCollectivesAreExact() throws Exception {
    long count = (1L << 28) + 1;
    long bytes = 8 * count;
    long free = availableBytes();
    assumeTrue(free > 6 * bytes, () -> "needs " + 6 * bytes + " bytes of memory, has " + free);
    run(
        2,
        OPTIONS.withDeadline(Duration.ofMinutes(2)),
        c -> {
          try (Arena arena = Arena.ofShared()) {
            Elements data = elements(arena, ElementType.I64, count);
            ExactNumbers.fill(data, c.position(), 0);
            c.allReduce(data);
            ExactNumbers.expect(data, i -> ExactNumbers.sum(2, i));
            ExactNumbers.fill(data, c.position(), 0);
            c.broadcast(data, 1);
            ExactNumbers.expect(data, i -> ExactNumbers.whole(1, i));
          }
        });
  }

  /** Memory to be had, as Linux counts it; 0 elsewhere. */
  private static long availableBytes() throws IOException {
    Path file = Path.of("/proc/meminfo");
    if (!Files.exists(file)) {
      return 0;
    }
    return Files.readAllLines(file).stream()
        .filter(line -> line.startsWith("MemAvailable:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(0);
  }

  private static Elements elements(Arena arena, ElementType type, long count) {
    return new Elements(type, arena.allocate(count * type.bytes(), 8));
  }

  /** Calls with whole numbers and their expected results. */
  static final class Exactness {
    private final Communicator c;
    private final ElementType type;
    private final Order order;

    Exactness(Communicator c, ElementType type, Order order) {
      this.c = c;
      this.type = type;
      this.order = order;
    }

    /** A call and what to ask of its result. */
    record Prepared(Collective call, Runnable check) {}

    void all(long count) {
      for (Operation operation : Operation.values()) {
        one(operation, count);
      }
    }

    void one(Operation operation, long count) {
      try (Arena arena = Arena.ofShared()) {
        Prepared prepared = prepare(arena, operation, count);
        c.run(prepared.call());
        prepared.check().run();
      }
    }

    /** A message has tests of its own; it stands for a barrier here. */
    Prepared prepare(Arena arena, Operation operation, long count) {
      int p = c.size();
      int me = c.position();
      int root = (int) ((count + 1) % p);
      Elements x = elements(arena, type, count);
      Elements y = elements(arena, type, count * p);
      ExactNumbers.fill(x, me, 0);
      return switch (operation) {
        case BROADCAST ->
            new Prepared(
                new Collective.Broadcast(x, root),
                () -> ExactNumbers.expect(x, i -> ExactNumbers.whole(root, i)));
        case ALL_REDUCE ->
            new Prepared(
                new Collective.AllReduce(x, order),
                () -> ExactNumbers.expect(x, i -> ExactNumbers.sum(p, i)));
        case REDUCE_SCATTER -> {
          ExactNumbers.fill(y, me, 0);
          yield new Prepared(
              new Collective.ReduceScatter(y, x, order),
              () -> {
                ExactNumbers.expect(x, i -> ExactNumbers.sum(p, me * count + i));
                ExactNumbers.expect(y, i -> ExactNumbers.whole(me, i));
              });
        }
        case ALL_GATHER ->
            new Prepared(
                new Collective.AllGather(x, y),
                () ->
                    ExactNumbers.expect(y, i -> ExactNumbers.whole((int) (i / count), i % count)));
        case BARRIER, MESSAGE -> new Prepared(new Collective.Barrier(), () -> {});
      };
    }
  }
}
