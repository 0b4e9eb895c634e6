package dev.sortie.parallel.comm.transport.shm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.SimulatedCalls;
import dev.sortie.parallel.comm.group.GroupCommunicator;
import dev.sortie.parallel.comm.transport.Transport;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Ranks on a seeded scheduler: all orders of messages, delays, pieces, and a death at any step, of
 * which these tests try some dozens, or {@code -Dsortie.simulations=N}. A seed that fails is part
 * of the message; the same seed gives the same run.
 */
@Timeout(600)
@Tag("any-kernels")
@Tag("slow")
class SimulationTest {
  private static final int SEEDS = Integer.getInteger("sortie.simulations", 60);
  private static final long MOST_STEPS = 3_000_000;

  /** One run: the number of ranks, the algorithms and the calls are the seed's. */
  private static final class Run {
    private final int ranks;
    private final boolean shared;
    private final CommOptions options;
    private final Simulation simulation;
    private final long seed;

    Run(long seed) {
      Random random = new Random(seed);
      this.seed = seed;
      this.ranks = 2 + random.nextInt(4);
      this.shared = random.nextBoolean();
      this.options = options(random, shared);
      this.simulation = new Simulation(seed, MOST_STEPS);
      simulation.addRanks(ranks);
    }

    List<Throwable> run() throws InterruptedException {
      try (Arena arena = Arena.ofShared()) {
        List<Transport> transports = SimulatedTransport.world(simulation, ranks, shared, arena);
        return simulation.run(rank -> one(transports.get(rank)));
      }
    }

    private void one(Transport transport) {
      try (Communicator c = GroupCommunicator.over(transport, options)) {
        SimulatedCalls.run(c, seed, shared ? ElementType.I32 : ElementType.I64);
      } catch (CommException e) {
        transport.close(); // a rank that dies does not
        throw e;
      }
      transport.close();
    }

    @Override
    public String toString() {
      return "seed %d: %d ranks, shared memory %s, %s".formatted(seed, ranks, shared, options);
    }
  }

  /** Measured speeds differ from run to run, so nothing may be chosen by them. */
  private static CommOptions options(Random random, boolean shared) {
    List<List<Algorithm>> choices =
        List.of(
            List.of(
                Algorithm.GATHER,
                Algorithm.EXCHANGE,
                Algorithm.RING,
                Algorithm.RECURSIVE_DOUBLING,
                Algorithm.HALVING_DOUBLING,
                Algorithm.SHARED_MEMORY),
            List.of(Algorithm.EXCHANGE, Algorithm.SHARED_MEMORY),
            List.of(
                Algorithm.EXCHANGE,
                Algorithm.DISSEMINATION,
                Algorithm.RING,
                Algorithm.SHARED_MEMORY),
            List.of(Algorithm.TREE, Algorithm.SCATTER_GATHER));
    List<Operation> operations =
        List.of(
            Operation.ALL_REDUCE,
            Operation.REDUCE_SCATTER,
            Operation.ALL_GATHER,
            Operation.BROADCAST);
    CommOptions options = CommOptions.defaults();
    for (int i = 0; i < operations.size(); i++) {
      List<Algorithm> some = new ArrayList<>(choices.get(i));
      if (!shared) {
        some.remove(Algorithm.SHARED_MEMORY);
      }
      options = options.withAlgorithm(operations.get(i), some.get(random.nextInt(some.size())));
    }
    return options;
  }

  @Test
  void resultsAreExactInAllOrdersOfMessages() throws Exception {
    for (int seed = 0; seed < SEEDS; seed++) {
      Run run = new Run(seed);
      assertThat(run.run()).as(run.toString()).containsOnlyNulls();
    }
  }

  @Test
  void aDeathAtAnyStepEndsAllSurvivorsWithItsNameAndTheCall() throws Exception {
    Random random = new Random(99);
    for (int seed = 0; seed < SEEDS; seed++) {
      Run whole = new Run(seed);
      whole.run();
      int victim = random.nextInt(whole.ranks);
      long step = 1 + random.nextInt((int) whole.simulation.steps(victim));
      Run run = new Run(seed);
      run.simulation.crash(victim, step);
      List<Throwable> ends = run.run();
      String what = run + ", rank " + victim + " dies at its step " + step;
      assertThat(ends.get(victim)).as(what).isInstanceOf(Simulation.Crash.class);
      for (int rank = 0; rank < run.ranks; rank++) {
        if (rank != victim && ends.get(rank) != null) { // else it had done its part
          assertThat(ends.get(rank))
              .as(what)
              .isInstanceOf(CommException.class)
              .hasMessageContaining("rank " + victim + " has died in a test")
              .hasMessageMatching("(?s).*; rank " + rank + " (was in|cannot begin) .*");
        }
      }
    }
  }

  @Test
  void theSameSeedGivesTheSameRun() throws Exception {
    for (int seed = 0; seed < 20; seed++) {
      Run one = new Run(seed);
      Run other = new Run(seed);
      one.run();
      other.run();
      assertThat(other.simulation.trace()).isEqualTo(one.simulation.trace());
      assertThat(other.simulation.now()).isEqualTo(one.simulation.now());
    }
  }

  @Test
  void ranksThatMakeDifferentCallsAreToldInAllOrdersOfMessages() throws Exception {
    for (int seed = 0; seed < SEEDS; seed++) {
      Run run = new Run(seed);
      try (Arena arena = Arena.ofShared()) {
        List<Transport> transports =
            SimulatedTransport.world(run.simulation, run.ranks, run.shared, arena);
        List<Throwable> ends =
            run.simulation.run(
                rank -> {
                  Communicator c = GroupCommunicator.over(transports.get(rank), run.options);
                  SimulatedCalls.differ(c);
                });
        assertThat(ends)
            .as(run.toString())
            .allSatisfy(
                e ->
                    assertThat(e)
                        .isInstanceOf(CommException.class)
                        .hasMessageContaining("ranks made different calls"));
      }
    }
  }
}
