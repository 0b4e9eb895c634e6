package dev.sortie.parallel.comm;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.mesh.Axis;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every transport must give. */
@Timeout(60)
abstract class CommunicatorContract {
  private static final CommOptions OPTIONS =
      CommOptions.defaults().withDeadline(Duration.ofSeconds(20));

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
            for (long count : new long[] {0, 1, p + 1, 1001}) {
              new Exactness(c, type, Order.ASCENDING).all(count);
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
          new Exactness(c, ElementType.F32, Order.ASCENDING).all(270_001);
          new Exactness(c, ElementType.BF16, Order.ASCENDING).all(270_001);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 8})
  void everyAlgorithmIsExactOnWholeNumbers(int p) throws Exception {
    for (Map.Entry<Operation, List<Algorithm>> entry : ALGORITHMS.entrySet()) {
      for (Algorithm algorithm : entry.getValue()) {
        if (algorithm == Algorithm.SHARED_MEMORY && !hasSharedMemory()) {
          continue;
        }
        run(
            p,
            OPTIONS.withAlgorithm(entry.getKey(), algorithm),
            c -> {
              new Exactness(c, ElementType.I32, Order.ASCENDING).one(entry.getKey(), 1013);
              new Exactness(c, ElementType.I64, Order.ASCENDING).one(entry.getKey(), 3);
              new Exactness(c, ElementType.F32, Order.ANY).one(entry.getKey(), 0);
              new Exactness(c, ElementType.F32, Order.ANY).one(entry.getKey(), 70_001);
            });
      }
    }
  }

  static final Map<Operation, List<Algorithm>> ALGORITHMS =
      Map.of(
          Operation.ALL_REDUCE,
          List.of(
              Algorithm.GATHER,
              Algorithm.EXCHANGE,
              Algorithm.SHARED_MEMORY,
              Algorithm.RING,
              Algorithm.RECURSIVE_DOUBLING,
              Algorithm.HALVING_DOUBLING),
          Operation.REDUCE,
          List.of(Algorithm.GATHER, Algorithm.EXCHANGE, Algorithm.TREE),
          Operation.REDUCE_SCATTER,
          List.of(Algorithm.EXCHANGE, Algorithm.SHARED_MEMORY),
          Operation.ALL_GATHER,
          List.of(
              Algorithm.EXCHANGE, Algorithm.SHARED_MEMORY, Algorithm.DISSEMINATION, Algorithm.RING),
          Operation.BROADCAST,
          List.of(Algorithm.TREE, Algorithm.SCATTER_GATHER));

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 8})
  void ascendingSumsHaveTheBitsOfTheLeftFoldWhateverTheAlgorithm(int p) throws Exception {
    for (Algorithm algorithm :
        List.of(Algorithm.GATHER, Algorithm.EXCHANGE, Algorithm.SHARED_MEMORY)) {
      if (algorithm == Algorithm.SHARED_MEMORY && !hasSharedMemory()) {
        continue;
      }
      run(
          p,
          OPTIONS.withAlgorithm(Operation.ALL_REDUCE, algorithm),
          c -> {
            for (long count : new long[] {5, 100_003}) {
              leftFold(c, count, false);
              leftFold(c, count, true);
            }
          });
    }
  }

  private static void leftFold(Communicator c, long count, boolean shared) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment f32 = shared ? c.allocate(4 * count) : arena.allocate(4 * count, 4);
      MemorySegment bf16 = shared ? c.allocate(2 * count) : arena.allocate(2 * count, 2);
      for (long i = 0; i < count; i++) {
        f32.set(JAVA_FLOAT_UNALIGNED, 4 * i, Numbers.rough(c.position(), i));
        bf16.set(JAVA_SHORT_UNALIGNED, 2 * i, DType.toBf16(Numbers.rough(c.position(), i)));
      }
      c.allReduce(new Elements(ElementType.F32, f32));
      c.allReduce(new Elements(ElementType.BF16, bf16));
      for (long i = 0; i < count; i++) {
        float sum = Numbers.rough(0, i);
        float narrow = DType.fromBf16(DType.toBf16(Numbers.rough(0, i)));
        for (int r = 1; r < c.size(); r++) {
          sum += Numbers.rough(r, i);
          narrow += DType.fromBf16(DType.toBf16(Numbers.rough(r, i)));
        }
        if (f32.get(JAVA_FLOAT_UNALIGNED, 4 * i) != sum
            || bf16.get(JAVA_SHORT_UNALIGNED, 2 * i) != DType.toBf16(narrow)) {
          throw new AssertionError("element " + i + " of " + count + " is not the left fold");
        }
      }
    }
  }

  @Test
  void sharedBuffersAreSummedInPlace() throws Exception {
    run(
        4,
        OPTIONS,
        c -> {
          Elements data = new Elements(ElementType.F32, c.allocate(4 * 300_000));
          for (int round = 0; round < 3; round++) {
            Numbers.fill(data, c.position(), round);
            c.allReduce(data);
            long first = round;
            Exactness.expect(data, i -> Numbers.sum(4, first + i));
          }
        });
  }

  @Test
  void groupsOfAMeshWorkAtTheSameTime() throws Exception {
    Mesh mesh = new Mesh(2, 1, 3, 1);
    run(
        6,
        OPTIONS,
        c -> {
          Group tensor = mesh.group(Axis.TP, c.rank());
          Group data = mesh.group(Axis.DP, c.rank());
          try (Communicator tp = c.split(tensor);
              Communicator dp = c.split(data);
              Communicator again = c.split(data);
              Arena arena = Arena.ofShared()) {
            Elements x = new Elements(ElementType.I64, arena.allocate(8));
            Elements y = new Elements(ElementType.I64, arena.allocate(8));
            Elements z = new Elements(ElementType.I64, arena.allocate(8));
            for (Elements e : List.of(x, y, z)) {
              Numbers.set(ElementType.I64, e.memory(), 0, 1L << 8 * c.rank().value());
            }
            Handle first = dp.start(new Collective.AllReduce(x, Order.ASCENDING));
            tp.allReduce(y);
            again.allReduce(z);
            first.await();
            Exactness.expect(x, i -> ranks(data));
            Exactness.expect(y, i -> ranks(tensor));
            Exactness.expect(z, i -> ranks(data));
            new Exactness(dp, ElementType.F32, Order.ASCENDING).all(33);
          }
        });
  }

  private static long ranks(Group group) {
    return group.ranks().stream().mapToLong(r -> 1L << 8 * r.value()).sum();
  }

  @Test
  void asynchronousCallsRunInOrderBesideMessages() throws Exception {
    run(
        3,
        OPTIONS,
        c -> {
          try (Arena arena = Arena.ofShared()) {
            int next = (c.position() + 1) % 3;
            int previous = (c.position() + 2) % 3;
            Elements in = new Elements(ElementType.F32, arena.allocate(4 * 5000));
            Elements out = new Elements(ElementType.F32, arena.allocate(4 * 5000));
            Numbers.fill(out, c.position(), 99);
            Handle coming = c.startReceive(in, previous); // waits until all sums are done
            List<Elements> sums = new ArrayList<>();
            List<Handle> handles = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
              Elements data = new Elements(ElementType.F32, arena.allocate(4 * 20_000));
              Numbers.fill(data, c.position(), i);
              sums.add(data);
              handles.add(c.start(new Collective.AllReduce(data, Order.ASCENDING)));
            }
            c.barrier();
            assertThat(handles).allMatch(Handle::isDone);
            c.startSend(out, next).await();
            coming.await();
            Exactness.expect(in, i -> Numbers.whole(previous, 99 + i));
            for (int k = 0; k < 8; k++) {
              long first = k;
              Exactness.expect(sums.get(k), i -> Numbers.sum(3, first + i));
            }
          }
        });
  }

  @Test
  void largeMessagesBothWaysAtOnceDoNotBlock() throws Exception {
    run(
        2,
        OPTIONS,
        c -> {
          try (Arena arena = Arena.ofShared()) {
            Elements in = new Elements(ElementType.I64, arena.allocate(8 * 500_000));
            Elements out = new Elements(ElementType.I64, arena.allocate(8 * 500_000));
            Numbers.fill(out, c.position(), 5);
            int peer = 1 - c.position();
            Handle sent = c.startSend(out, peer);
            c.receive(in, peer);
            sent.await();
            Exactness.expect(in, i -> Numbers.whole(peer, 5 + i));
          }
        });
  }

  @Test
  void differentCallsAreAnErrorThatNamesBoth() throws Exception {
    List<Throwable> failures =
        Job.failures(
            2,
            job(2),
            OPTIONS,
            c -> {
              try (Arena arena = Arena.ofShared()) {
                Elements data = new Elements(ElementType.F32, arena.allocate(4 * 100));
                if (c.position() == 0) {
                  c.allReduce(data);
                } else {
                  c.broadcast(data.slice(0, 7), 1);
                  c.barrier();
                }
              }
            });
    assertThat(failures)
        .allSatisfy(
            e ->
                assertThat(e)
                    .isInstanceOfSatisfying(
                        CommException.class,
                        c -> assertThat(c.kind()).isEqualTo(CommException.Kind.MISMATCH))
                    .hasMessageContaining("rank 0")
                    .hasMessageContaining("rank 1")
                    .hasMessageContaining("all-reduce of 100 F32")
                    .hasMessageContaining("broadcast of 7 F32, root 1"));
  }

  @Test
  void differentLengthsTypesAndOrdersAreErrors() throws Exception {
    for (int kind = 0; kind < 3; kind++) {
      int odd = kind;
      List<Throwable> failures =
          Job.failures(
              3,
              job(3),
              OPTIONS,
              c -> {
                try (Arena arena = Arena.ofShared()) {
                  boolean other = c.position() == 2;
                  ElementType type = other && odd == 1 ? ElementType.I32 : ElementType.F32;
                  Elements data =
                      new Elements(type, arena.allocate(other && odd == 0 ? 4 * 101 : 4 * 100));
                  Order order = other && odd == 2 ? Order.ANY : Order.ASCENDING;
                  c.run(new Collective.AllReduce(data, order));
                }
              });
      assertThat(failures)
          .allSatisfy(e -> assertThat(e).hasMessageContaining("ranks made different calls"));
    }
  }

  @Test
  void aRankThatStaysAwayIsNamedAtTheDeadline() throws Exception {
    CommOptions impatient = OPTIONS.withDeadline(Duration.ofSeconds(1));
    List<Throwable> failures =
        Job.failures(
            3,
            job(3),
            impatient,
            c -> {
              if (c.position() == 1) {
                Thread.sleep(3000);
              }
              c.barrier();
            });
    assertThat(failures)
        .allSatisfy(
            e ->
                assertThat(e)
                    .isInstanceOf(CommException.class)
                    .hasMessageContaining("in barrier by dissemination")
                    .hasMessageContaining("waits for rank")
                    .hasMessageContaining("within 1000 ms"));
  }

  @Test
  void oneRankGivingUpEndsAllAndLaterCallsFailAtOnce() throws Exception {
    List<Throwable> failures =
        Job.failures(
            4,
            job(4),
            OPTIONS,
            c -> {
              if (c.position() == 3) {
                c.abort("disk full");
              } else {
                assertThatThrownBy(c::barrier).isInstanceOf(CommException.class);
              }
              long from = System.nanoTime();
              try {
                c.barrier();
              } finally {
                assertThat(System.nanoTime() - from).isLessThan(1_000_000_000L);
              }
            });
    assertThat(failures)
        .allSatisfy(e -> assertThat(e).hasMessageContaining("rank 3 gave up: disk full"));
  }

  @Test
  void callsThatCannotWorkAreRefusedBeforeAnythingIsSent() throws Exception {
    CommOptions tree = OPTIONS.withAlgorithm(Operation.REDUCE, Algorithm.TREE);
    run(
        3,
        tree,
        c -> {
          try (Arena arena = Arena.ofShared()) {
            Elements data = new Elements(ElementType.F32, arena.allocate(4 * 6));
            assertThatThrownBy(() -> c.broadcast(data, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[0, 3)");
            assertThatThrownBy(() -> c.allGather(data, data))
                .hasMessageContaining("3 × 6 elements, got 6 and 6");
            assertThatThrownBy(() -> c.send(data, c.position()))
                .hasMessageContaining("no other member");
            assertThatThrownBy(() -> c.reduce(data, 0))
                .hasMessageContaining("reduce by tree does not fit");
            assertThatThrownBy(() -> c.split(new Group(List.of(new GlobalRank(7)))))
                .hasMessageContaining("cannot split");
            c.barrier();
          }
        });
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

    void all(long count) {
      for (Operation operation : Operation.values()) {
        if (operation != Operation.MESSAGE) {
          one(operation, count);
        }
      }
    }

    void one(Operation operation, long count) {
      int p = c.size();
      int me = c.position();
      int root = (int) ((count + 1) % p);
      try (Arena arena = Arena.ofShared()) {
        Elements x = elements(arena, count);
        Elements y = elements(arena, count * p);
        Elements z = elements(arena, count * p);
        Numbers.fill(x, me, 0);
        switch (operation) {
          case BROADCAST -> {
            c.broadcast(x, root);
            expect(x, i -> Numbers.whole(root, i));
          }
          case REDUCE -> {
            c.run(new Collective.Reduce(x, root, order));
            expect(x, i -> me == root ? Numbers.sum(p, i) : Numbers.whole(me, i));
          }
          case ALL_REDUCE -> {
            c.run(new Collective.AllReduce(x, order));
            expect(x, i -> Numbers.sum(p, i));
          }
          case REDUCE_SCATTER -> {
            Numbers.fill(y, me, 0);
            c.run(new Collective.ReduceScatter(y, x, order));
            expect(x, i -> Numbers.sum(p, me * count + i));
            expect(y, i -> Numbers.whole(me, i));
          }
          case ALL_GATHER -> {
            c.allGather(x, y);
            expect(y, i -> Numbers.whole((int) (i / count), i % count));
          }
          case ALL_TO_ALL -> {
            Numbers.fill(y, me, 0);
            c.allToAll(y, z);
            expect(z, i -> Numbers.whole((int) (i / count), me * count + i % count));
          }
          case BARRIER, MESSAGE -> c.barrier();
        }
      }
    }

    private Elements elements(Arena arena, long count) {
      return new Elements(type, arena.allocate(count * type.bytes(), 8));
    }

    static void expect(Elements data, LongUnaryOperator value) {
      for (long i = 0; i < data.count(); i++) {
        double got = Numbers.get(data.type(), data.memory(), i);
        if (got != value.applyAsLong(i)) {
          throw new AssertionError(
              "element %d of %d %s is %s, expected %d"
                  .formatted(i, data.count(), data.type(), got, value.applyAsLong(i)));
        }
      }
    }
  }
}
