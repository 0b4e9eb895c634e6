package dev.sortie.eetuning.exercise;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.ExactNumbers;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.shm.ThreadTransport;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.IntUnaryOperator;

/**
 * What holds of an all-reduce. Ranks are threads, messages those of the engine's communicator, and
 * the numbers those with which the engine's own collectives are checked: integers whose sums are
 * exact in any order, and fractions whose sums show the order.
 */
final class AllReduceChecks {
  /** A message that never comes is an error after this time. */
  private static final CommOptions OPTIONS =
      CommOptions.defaults().withDeadline(Duration.ofSeconds(5));

  private static final int ROUGH = 1001;

  private final AllReduce solution;

  private AllReduceChecks(AllReduce solution) {
    this.solution = solution;
  }

  static List<Check> of(AllReduce solution) {
    AllReduceChecks checks = new AllReduceChecks(solution);
    return List.of(
        Check.of(
            "a single rank keeps its numbers",
            "There is nobody to send to, and the sum is there already.",
            () -> checks.exact(1)),
        Check.of(
            "two ranks sum whole numbers exactly",
            "Send what you have, receive what the other has, add. Data may have no element or one.",
            () -> checks.exact(2)),
        Check.of(
            "3, 5 and 8 ranks sum whole numbers exactly",
            "Each rank's numbers must be added once on every rank. The number of ranks need not be a power of two, nor divide the number of elements.",
            () -> {
              for (int ranks : new int[] {3, 5, 8}) {
                checks.exact(ranks);
              }
            }),
        Check.of(
            "sums in a row do not mix",
            "Receive everything that is sent to you before you return, and keep nothing in fields: all ranks share one object.",
            checks::inARow),
        Check.of(
            "all ranks get the same bits",
            "(a + b) + c is not a + (b + c) in floating point. Add in one order, such as that of ranks, or add in one place and send the sum around.",
            checks::sameEverywhere),
        Check.of(
            "another run gets the same bits",
            "The order of sums must not depend on which message comes first.",
            checks::sameAgain));
  }

  /** What a rank does. */
  @FunctionalInterface
  private interface Body {
    void run(Communicator c) throws Exception;
  }

  /** Runs the same on all ranks; fails with what went wrong first. */
  private static void job(int ranks, Body body) throws Exception {
    List<Transport> world = ThreadTransport.world(ranks);
    List<FutureTask<Void>> tasks = new ArrayList<>();
    for (Transport transport : world) {
      tasks.add(
          new FutureTask<>(
              () -> {
                one(transport, body);
                return null;
              }));
    }
    tasks.forEach(Thread.ofPlatform().daemon().name("rank-", 0)::start);
    Throwable first = null;
    for (FutureTask<Void> task : tasks) {
      try {
        task.get();
      } catch (ExecutionException e) {
        // the others fail because of the first, and say so
        if (first == null || first instanceof CommException) {
          first = e.getCause();
        }
      }
    }
    switch (first) {
      case null -> {}
      case Error error -> throw error;
      case Exception exception -> throw exception;
      default -> throw new IllegalStateException(first);
    }
  }

  private static void one(Transport transport, Body body) throws Exception {
    try (transport;
        Communicator c = GroupCommunicator.over(transport, OPTIONS)) {
      try {
        body.run(c);
      } catch (Exception | Error e) {
        c.abort(String.valueOf(e.getMessage()));
        throw e;
      }
    }
  }

  /** The solution as a collective of the engine. */
  private void allReduce(Communicator c, Elements data) {
    float[] numbers = data.memory().toArray(JAVA_FLOAT_UNALIGNED);
    RankMessages messages = new RankMessages(c, new ArrayList<>());
    solution.sum(messages, numbers);
    messages.sent().forEach(Handle::await);
    MemorySegment.copy(numbers, 0, data.memory(), JAVA_FLOAT_UNALIGNED, 0, numbers.length);
  }

  private record RankMessages(Communicator c, List<Handle> sent) implements AllReduce.Messages {
    @Override
    public int rank() {
      return c.position();
    }

    @Override
    public int ranks() {
      return c.size();
    }

    @Override
    public void send(float[] elements, int to) {
      sent.add(
          c.startSend(
              new Elements(ElementType.F32, Arena.ofAuto().allocateFrom(JAVA_FLOAT, elements)),
              to));
    }

    @Override
    public void receive(float[] elements, int from) {
      Elements data = elements(elements.length);
      c.receive(data, from);
      MemorySegment.copy(data.memory(), JAVA_FLOAT_UNALIGNED, 0, elements, 0, elements.length);
    }
  }

  private static Elements elements(long count) {
    return new Elements(ElementType.F32, Arena.ofAuto().allocate(count * 4, 8));
  }

  private void exact(int ranks) throws Exception {
    job(
        ranks,
        c -> {
          for (long count : new long[] {0, 1, ranks + 1, 2003}) {
            sum(c, count, 0);
          }
        });
  }

  /** As the engine checks its own collectives. */
  private void sum(Communicator c, long count, long first) {
    Elements data = elements(count);
    ExactNumbers.fill(data, c.position(), first);
    allReduce(c, data);
    try {
      ExactNumbers.expect(data, i -> ExactNumbers.sum(c.size(), first + i));
    } catch (AssertionError e) {
      throw new AssertionError(
          "rank %d of %d: %s".formatted(c.position(), c.size(), e.getMessage()), e);
    }
  }

  private void inARow() throws Exception {
    job(
        4,
        c -> {
          for (int round = 0; round < 20; round++) {
            if (round % 4 == c.position()) {
              Thread.sleep(2);
            }
            sum(c, 7 + round, 1000L * round);
          }
        });
  }

  /** The sum of fractions on each rank; each begins after its delay in milliseconds. */
  private List<float[]> rough(int ranks, IntUnaryOperator delay) throws Exception {
    float[][] sums = new float[ranks][];
    job(
        ranks,
        c -> {
          Elements data = elements(ROUGH);
          for (long i = 0; i < ROUGH; i++) {
            data.memory().set(JAVA_FLOAT_UNALIGNED, 4 * i, ExactNumbers.rough(c.position(), i));
          }
          Thread.sleep(delay.applyAsInt(c.position()));
          allReduce(c, data);
          sums[c.position()] = data.memory().toArray(JAVA_FLOAT_UNALIGNED);
        });
    return List.of(sums);
  }

  private void sameEverywhere() throws Exception {
    for (int ranks = 2; ranks <= 8; ranks++) {
      List<float[]> sums = rough(ranks, rank -> 0);
      for (int rank = 1; rank < ranks; rank++) {
        compare(sums.getFirst(), sums.get(rank), "rank 0", "rank " + rank + " of " + ranks);
      }
    }
  }

  private void sameAgain() throws Exception {
    float[] before = rough(6, rank -> 10 * rank).getFirst();
    float[] after = rough(6, rank -> 60 - 10 * rank).getFirst();
    compare(before, after, "a run", "one in which ranks begin in another order");
  }

  private static void compare(float[] a, float[] b, String one, String other) {
    for (int i = 0; i < a.length; i++) {
      Check.require(
          Objects.equals(a[i], b[i]),
          "element %d of %d: %s has %s, %s has %s",
          i,
          a.length,
          one,
          a[i],
          other,
          b[i]);
    }
  }
}
