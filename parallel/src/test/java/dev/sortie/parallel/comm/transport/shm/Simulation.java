package dev.sortie.parallel.comm.transport.shm;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;

/**
 * A scheduler of ranks that are threads: one of them runs at a time, and hands over at every call
 * of its transport to one that the seed chooses. Virtual time is the number of hand-overs. So the
 * seed decides the order of all that ranks do to each other, and the same seed gives the same run.
 *
 * <p>Ranks must not wait for each other but through their transport: synchronous calls alone.
 */
final class Simulation {
  private final Random random;
  private final long mostSteps;
  private final List<Rank> ranks = new ArrayList<>();
  private final List<Rank> able = new ArrayList<>();
  private long now;
  private long trace = 17;
  private volatile boolean endless;

  /**
   * @param mostSteps hand-overs after which the run counts as one that never ends
   */
  Simulation(long seed, long mostSteps) {
    this.random = new Random(seed);
    this.mostSteps = mostSteps;
  }

  /** What a rank does until it ends, well or badly. */
  interface Body {
    void run(int rank);
  }

  /** A rank that dies at a step of its own. */
  static final class Crash extends Error {
    private static final long serialVersionUID = 1L;

    Crash() {
      super("the simulated rank has died", null, false, false);
    }
  }

  /** The ranks have not ended within the steps allowed. */
  static final class Endless extends Error {
    private static final long serialVersionUID = 1L;

    Endless() {
      super("the ranks do not end", null, false, false);
    }
  }

  private static final class Rank {
    private final Semaphore turn = new Semaphore(0);
    private long dies = Long.MAX_VALUE;
    private long steps;
  }

  /** Lets a rank die when it hands over for the {@code step}th time. */
  void crash(int rank, long step) {
    ranks.get(rank).dies = step;
  }

  void addRanks(int count) {
    for (int i = 0; i < count; i++) {
      ranks.add(new Rank());
    }
    able.addAll(ranks);
  }

  /** Runs all ranks to their end; what each ended with, null if well. */
  List<Throwable> run(Body body) throws InterruptedException {
    List<Throwable> ends = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < ranks.size(); i++) {
      int rank = i;
      ends.add(null);
      threads.add(Thread.ofPlatform().daemon().unstarted(() -> one(rank, body, ends)));
    }
    threads.forEach(Thread::start);
    next(null);
    for (Thread thread : threads) {
      thread.join();
    }
    return ends;
  }

  private void one(int rank, Body body, List<Throwable> ends) {
    ranks.get(rank).turn.acquireUninterruptibly();
    try {
      body.run(rank);
    } catch (Throwable e) {
      ends.set(rank, e);
    }
    able.remove(ranks.get(rank));
    next(null);
  }

  /** The running rank hands over; returns when it is its turn again. */
  void step(int rank) {
    Rank me = ranks.get(rank);
    me.steps++;
    trace = trace * 31 + rank;
    if (me.steps == me.dies) {
      me.dies = Long.MAX_VALUE;
      throw new Crash();
    }
    if (++now > mostSteps) {
      endless = true;
    }
    if (endless) {
      throw new Endless();
    }
    next(me);
  }

  private void next(Rank me) {
    if (able.isEmpty()) {
      return;
    }
    Rank chosen = able.get(random.nextInt(able.size()));
    if (chosen != me) {
      chosen.turn.release();
      if (me != null) {
        me.turn.acquireUninterruptibly();
      }
    }
  }

  /** Hand-overs of a rank so far. */
  long steps(int rank) {
    return ranks.get(rank).steps;
  }

  long now() {
    return now;
  }

  /** From 0 to {@code bound - 1}, by the seed. */
  int choose(int bound) {
    return random.nextInt(bound);
  }

  /** A number that two runs have in common only if they were the same. */
  long trace() {
    return trace;
  }
}
