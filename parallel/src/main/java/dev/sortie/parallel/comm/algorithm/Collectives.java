package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.message.CallFingerprint;
import dev.sortie.parallel.comm.message.Messages;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The collectives of one group, by one thread at a time: chooses an algorithm for each call and
 * carries it out. Holds what all calls of a member use: its messages, memory and kernels.
 */
public final class Collectives implements AutoCloseable {
  private final Messages messages;
  private final int group;
  private final Adder adder = new Adder();
  private final AlgorithmSelector selector;
  private Arena arena = Arena.ofShared();
  private MemorySegment scratch = MemorySegment.NULL;
  private StagingBuffers staging;
  private long sequence;

  /**
   * A collective call of the members if the speed of their links is not known.
   *
   * @param messages of a stream that nothing else uses; closed with this, but not if this fails
   * @param group what fingerprints of its calls say
   * @param known speed of the links, or null: it is measured
   */
  public Collectives(Messages messages, int group, CommOptions options, LinkSpeed known) {
    this.messages = messages;
    this.group = group;
    try {
      LinkSpeed speed = known == null ? SpeedTest.measure(this) : known;
      boolean shared = messages.shared().isPresent();
      this.selector = new AlgorithmSelector(messages.size(), shared, speed, options);
    } catch (RuntimeException | Error e) {
      closeMemory();
      throw e;
    }
  }

  /** Carries out a call, which has been checked. */
  public void run(Collective call) {
    if (messages.size() == 1) {
      runAlone(call);
    } else {
      run(call, selector.select(call));
    }
  }

  /** The sum of one is itself. */
  private static void runAlone(Collective call) {
    switch (call) {
      case Collective.ReduceScatter r -> r.mine().memory().copyFrom(r.all().memory());
      case Collective.AllGather g -> g.all().memory().copyFrom(g.mine().memory());
      case Collective.Broadcast _, Collective.AllReduce _, Collective.Barrier _ -> {}
    }
  }

  /** Any failure ends the job, for the others would wait in vain. */
  void run(Collective call, CollectiveAlgorithm algorithm) {
    sequence++;
    CallFingerprint print = CallFingerprint.of(call, algorithm.algorithm(), group, sequence);
    try {
      algorithm.steps().run(call, new CollectiveContext(this, messages, print));
    } catch (CommException e) {
      throw messages.during(e, print.describe());
    } catch (RuntimeException e) {
      messages.fail(
          CommException.Kind.ABORTED,
          "%s failed in %s: %s".formatted(messages.me(), print.describe(), e));
      throw e;
    }
  }

  /** The algorithm that {@code call} takes. */
  public Algorithm algorithm(Collective call) {
    return messages.size() == 1 ? Algorithm.POINT_TO_POINT : selector.select(call).algorithm();
  }

  /** The speeds from which algorithms are chosen. */
  public LinkSpeed speed() {
    return selector.speed();
  }

  int size() {
    return messages.size();
  }

  Adder adder() {
    return adder;
  }

  /** Memory that grows with the largest call. */
  MemorySegment scratch(long bytes) {
    if (scratch.byteSize() < bytes) {
      arena.close();
      arena = Arena.ofShared();
      scratch = arena.allocate(Long.highestOneBit(Math.max(bytes, 4096) - 1) << 1, 64);
    }
    return scratch.asSlice(0, bytes);
  }

  /** Made by the first call that needs them: all members come there together. */
  StagingBuffers staging() {
    if (staging == null) {
      staging = new StagingBuffers(messages.shared().orElseThrow());
    }
    return staging;
  }

  @Override
  public void close() {
    messages.close();
    closeMemory();
  }

  private void closeMemory() {
    adder.close();
    arena.close();
  }
}
