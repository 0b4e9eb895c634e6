package dev.sortie.parallel.comm;

import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.lang.foreign.MemorySegment;

/**
 * Collectives among the ranks of a group. All members make the same calls in the same order; calls
 * of different groups may be in any order. Positions, not ranks, name the peers.
 *
 * <p>Sums: with {@link Order#ASCENDING} (what the short methods use) each element is {@code ((x₀ +
 * x₁) + x₂) + …}, so that the bits depend on nothing but the data.
 *
 * <p>Failure: each message carries the call that it belongs to, and members that made different
 * calls get an error that names both. Every wait has a deadline and sees when another rank gives up
 * or is lost. The first failure ends the transport for all its ranks; see {@link CommException}.
 *
 * <p>One thread at a time may make collective calls; asynchronous ones run in the order in which
 * they were started, and before any synchronous call that follows.
 */
public interface Communicator extends AutoCloseable {

  /** The members. */
  Group group();

  /** This member's rank in the world. */
  GlobalRank rank();

  /** This member's position in the group. */
  int position();

  /** Number of members. */
  default int size() {
    return group().size();
  }

  /** Carries out a call. */
  void run(Collective call);

  /** Starts a call that runs in parallel to the caller's work. */
  Handle start(Collective call);

  /** Sends to one member; ends when the data may be changed again. Not a collective call. */
  void send(Elements data, int to);

  /** Receives as many elements as the sender sends. Not a collective call. */
  void receive(Elements data, int from);

  /** Begins to send. */
  Handle startSend(Elements data, int to);

  /** Begins to receive. */
  Handle startReceive(Elements data, int from);

  /**
   * The communicator of some of these members, this one among them. A collective call of those
   * members alone. Close it before this one. Its buffers stay until the transport is closed, so
   * split once and not for each step.
   */
  Communicator split(Group members);

  /**
   * Zeroed memory of this member which the others read in place, where the transport has such
   * memory: collectives on it copy less. Freed when the last rank has closed the transport, for a
   * slower one may still read it. A collective call with the same size everywhere.
   */
  MemorySegment allocate(long bytes);

  /** The algorithm that {@code call} takes here. */
  Algorithm algorithm(Collective call);

  /** The speeds from which algorithms are chosen. */
  LinkSpeed speed();

  /** Ends the work of all ranks; every wait and every later call fails with this reason. */
  void abort(String reason);

  /** Ends this communicator, not the transport. Not a collective call. */
  @Override
  void close();

  /** Everyone's data becomes the root's. */
  default void broadcast(Elements data, int root) {
    run(new Collective.Broadcast(data, root));
  }

  /** Everyone's data becomes the sum of all. */
  default void allReduce(Elements data) {
    run(new Collective.AllReduce(data, Order.ASCENDING));
  }

  /** {@code mine} becomes this member's part of the sum of {@code all}. */
  default void reduceScatter(Elements all, Elements mine) {
    run(new Collective.ReduceScatter(all, mine, Order.ASCENDING));
  }

  /** {@code all} becomes what the members have in {@code mine}. */
  default void allGather(Elements mine, Elements all) {
    run(new Collective.AllGather(mine, all));
  }

  /** Ends on each member after it has begun on all. */
  default void barrier() {
    run(new Collective.Barrier());
  }
}
