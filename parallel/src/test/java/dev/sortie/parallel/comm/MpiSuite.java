package dev.sortie.parallel.comm;

import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.Transport;
import dev.sortie.parallel.comm.transport.mpi.MpiFiles;
import dev.sortie.parallel.comm.transport.mpi.MpiTransport;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.Arena;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The process of one rank under an MPI launcher. MPI starts once in a process, so all ranks run the
 * contract's tests one after the other, each as a job of the first ranks of the same world; what
 * makes a job fail is a task of its own.
 */
final class MpiSuite extends CommunicatorContract {
  /** Tests that end the job, or that take gigabytes. */
  private static final Set<String> ALONE =
      Set.of(
          "differentCallsAreAnErrorThatNamesBoth",
          "differentLengthsTypesAndOrdersAreErrors",
          "aRankThatStaysAwayIsNamedAtTheDeadline",
          "oneRankGivingUpEndsAllAndLaterCallsFailAtOnce",
          "hugeCollectivesAreExact");

  private static final Duration SILENCE = Duration.ofSeconds(5);

  private final MpiTransport world;
  private int jobs;

  private MpiSuite(MpiTransport world) {
    this.world = world;
  }

  /**
   * Arguments: the task, or the name of one test of the contract. Prints a line that the test looks
   * for.
   */
  public static void main(String[] args) throws Exception {
    int code = 0;
    try (MpiTransport world =
        MpiTransport.join(MpiFiles.find(System.getenv()).getFirst(), SILENCE)) {
      MpiSuite suite = new MpiSuite(world);
      switch (args[0]) {
        case "contract" -> suite.contract();
        case "mismatch" -> suite.mismatch();
        case "absence" -> suite.absence();
        case "abort" -> suite.abort();
        case "suspension" -> suite.suspension();
        default -> suite.one(args[0]);
      }
    } catch (CommException e) {
      System.out.print(e.kind() + " " + e.getMessage() + "\n");
      code = args[0].equals("contract") ? 1 : 0;
    }
    System.out.flush();
    Runtime.getRuntime().halt(code); // a job that has failed does not wait for MPI to end
  }

  private void contract() throws Exception {
    int tests = 0;
    for (Method test : tests()) {
      ValueSource sizes = test.getAnnotation(ValueSource.class);
      for (int ranks : sizes == null ? new int[] {0} : sizes.ints()) {
        if (ranks <= world.world()) {
          call(test, sizes == null ? new Object[0] : new Object[] {ranks});
          tests++;
        }
      }
    }
    System.out.print("rank " + world.rank().value() + " passed " + tests + "\n");
  }

  private void one(String name) throws Exception {
    for (Class<?> type : List.of(ExactnessContract.class, CommunicatorContract.class)) {
      for (Method test : type.getDeclaredMethods()) {
        if (test.getName().equals(name)) {
          call(test);
          System.out.print("rank " + world.rank().value() + " passed " + name + "\n");
        }
      }
    }
  }

  private static List<Method> tests() {
    return Stream.of(ExactnessContract.class, CommunicatorContract.class)
        .flatMap(c -> Stream.of(c.getDeclaredMethods()))
        .filter(m -> m.isAnnotationPresent(Test.class) || m.isAnnotationPresent(ValueSource.class))
        .filter(m -> !ALONE.contains(m.getName()))
        .sorted(Comparator.comparing(Method::getName))
        .toList();
  }

  private void call(Method test, Object... arguments) throws Exception {
    try {
      test.invoke(this, arguments);
    } catch (InvocationTargetException e) {
      System.out.println(
          "rank " + world.rank().value() + " " + test.getName() + ": " + e.getCause());
      e.getCause().printStackTrace();
      System.out.flush();
      Runtime.getRuntime().halt(1);
    }
  }

  @Override
  Job.Joining job(int ranks) {
    throw new IllegalStateException("a process is one rank");
  }

  @Override
  boolean hasSharedMemory() {
    return false;
  }

  @Override
  void run(int ranks, CommOptions options, Job.Body body) throws Exception {
    jobs++;
    if (world.rank().value() < Math.min(ranks, world.world()) && ranks <= world.world()) {
      try (Communicator c = GroupCommunicator.over(new Part(world, ranks, "j" + jobs), options)) {
        body.run(c);
      }
    }
  }

  private void mismatch() {
    try (Arena arena = Arena.ofShared();
        Communicator c = GroupCommunicator.over(world, OPTIONS)) {
      Elements data = new Elements(ElementType.F32, arena.allocate(400));
      if (c.position() == 0) {
        c.allReduce(data);
      } else {
        c.broadcast(data.slice(0, 7), 1);
      }
      c.barrier();
    }
  }

  private void absence() throws InterruptedException {
    try (Communicator c =
        GroupCommunicator.over(world, OPTIONS.withDeadline(Duration.ofSeconds(1)))) {
      if (c.position() == 1) {
        Thread.sleep(4000);
      }
      c.barrier();
    }
  }

  private void abort() {
    try (Communicator c = GroupCommunicator.over(world, OPTIONS)) {
      if (c.position() == 1) {
        c.abort("disk full");
      }
      c.barrier();
    }
  }

  /** Each rank has itself stopped at about the same time, for longer than one may be silent. */
  private void suspension() throws Exception {
    try (Communicator c = GroupCommunicator.over(world, OPTIONS)) {
      c.barrier();
      long self = ProcessHandle.current().pid();
      String script =
          "kill -STOP %d; sleep %d; kill -CONT %d".formatted(self, SILENCE.toSeconds() + 2, self);
      new ProcessBuilder("sh", "-c", script).start().waitFor();
      Thread.sleep(1000); // for the threads that watch
      c.barrier();
      System.out.print("rank " + world.rank().value() + " continued\n");
    }
  }

  /** The first ranks of a world as a world of their own. */
  private record Part(MpiTransport whole, int world, String name) implements Transport {
    @Override
    public GlobalRank rank() {
      return whole.rank();
    }

    @Override
    public int neighbours() {
      return world;
    }

    @Override
    public Endpoint open(String id, Group group, Duration deadline) {
      return whole.open(name + id, group, deadline);
    }

    @Override
    public void fail(Failure failure) {
      whole.fail(failure);
    }

    @Override
    public Optional<Failure> failure() {
      return whole.failure();
    }

    @Override
    public void close() {
      // The whole world is closed once.
    }
  }
}
