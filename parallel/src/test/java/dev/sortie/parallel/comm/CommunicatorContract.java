package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.mesh.Axis;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import dev.sortie.parallel.mesh.Mesh;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every transport must give, in addition to exact results. */
@Timeout(60)
abstract class CommunicatorContract extends ExactnessContract {
  @Test
  void sharedBuffersAreSummedInPlace() throws Exception {
    run(
        4,
        OPTIONS,
        c -> {
          Elements data = new Elements(ElementType.F32, c.allocate(4 * 300_000));
          for (int round = 0; round < 3; round++) {
            ExactNumbers.fill(data, c.position(), round);
            c.allReduce(data);
            long first = round;
            ExactNumbers.expect(data, i -> ExactNumbers.sum(4, first + i));
          }
        });
  }

  @Test
  void groupsOfAMeshWorkAtTheSameTime() throws Exception {
    Mesh mesh = new Mesh(2, 3, 1);
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
              ExactNumbers.set(ElementType.I64, e.memory(), 0, 1L << 8 * c.rank().value());
            }
            Handle first = dp.start(new Collective.AllReduce(x, Order.ASCENDING));
            tp.allReduce(y);
            again.allReduce(z);
            first.await();
            ExactNumbers.expect(x, i -> ranks(data));
            ExactNumbers.expect(y, i -> ranks(tensor));
            ExactNumbers.expect(z, i -> ranks(data));
            new Exactness(dp, ElementType.F32, Order.ASCENDING).all(33);
          }
        });
  }

  private static long ranks(Group group) {
    return group.ranks().stream().mapToLong(r -> 1L << 8 * r.value()).sum();
  }

  @Test
  void asynchronousCallsRunInOrderWithMessages() throws Exception {
    run(
        3,
        OPTIONS,
        c -> {
          try (Arena arena = Arena.ofShared()) {
            int next = (c.position() + 1) % 3;
            int previous = (c.position() + 2) % 3;
            Elements in = new Elements(ElementType.F32, arena.allocate(4 * 5000));
            Elements out = new Elements(ElementType.F32, arena.allocate(4 * 5000));
            ExactNumbers.fill(out, c.position(), 99);
            Handle coming = c.startReceive(in, previous); // waits until all sums are done
            List<Elements> sums = new ArrayList<>();
            List<Handle> handles = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
              Elements data = new Elements(ElementType.F32, arena.allocate(4 * 20_000));
              ExactNumbers.fill(data, c.position(), i);
              sums.add(data);
              handles.add(c.start(new Collective.AllReduce(data, Order.ASCENDING)));
            }
            c.barrier();
            assertThat(handles).allMatch(Handle::isDone);
            c.startSend(out, next).await();
            coming.await();
            ExactNumbers.expect(in, i -> ExactNumbers.whole(previous, 99 + i));
            for (int k = 0; k < 8; k++) {
              long first = k;
              ExactNumbers.expect(sums.get(k), i -> ExactNumbers.sum(3, first + i));
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
            ExactNumbers.fill(out, c.position(), 5);
            int peer = 1 - c.position();
            Handle sent = c.startSend(out, peer);
            c.receive(in, peer);
            sent.await();
            ExactNumbers.expect(in, i -> ExactNumbers.whole(peer, 5 + i));
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
    CountDownLatch othersFailed = new CountDownLatch(2);
    List<Throwable> failures =
        Job.failures(
            3,
            job(3),
            impatient,
            c -> {
              if (c.position() == 1) {
                // how late the others notice depends on the load of the machine; after the first
                // has
                // failed, the second could still pass with what the first had sent
                othersFailed.await(30, TimeUnit.SECONDS);
                c.barrier();
                return;
              }
              try {
                c.barrier();
              } finally {
                othersFailed.countDown();
              }
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
    CommOptions ring = OPTIONS.withAlgorithm(Operation.ALL_REDUCE, Algorithm.RING);
    run(
        3,
        ring,
        c -> {
          try (Arena arena = Arena.ofShared()) {
            Elements data = new Elements(ElementType.F32, arena.allocate(4 * 6));
            assertThatThrownBy(() -> c.broadcast(data, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[0, 3)");
            assertThatThrownBy(() -> c.allGather(data, data))
                .hasMessageContaining("3 × 6 elements, got 6 and 6");
            Elements mapped = new Elements(ElementType.F32, data.memory().asReadOnly());
            assertThatThrownBy(() -> c.allReduce(mapped))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("only be read");
            assertThatThrownBy(() -> c.send(data, c.position()))
                .hasMessageContaining("no other member");
            assertThatThrownBy(() -> c.allReduce(data))
                .hasMessageContaining("all-reduce by ring does not fit");
            assertThatThrownBy(() -> c.split(new Group(List.of(new GlobalRank(7)))))
                .hasMessageContaining("cannot split");
            c.barrier();
          }
        });
  }
}
