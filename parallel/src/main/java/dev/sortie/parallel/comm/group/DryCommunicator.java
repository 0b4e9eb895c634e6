package dev.sortie.parallel.comm.group;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.lang.foreign.MemorySegment;

/**
 * One member of a group whose other members do not exist: calls are checked and move nothing. What
 * a call would have written keeps what it held.
 */
public final class DryCommunicator implements Communicator {
  private static final LinkSpeed NO_LINK = new LinkSpeed(0, 0, 0);

  private static final Handle DONE =
      new Handle() {
        @Override
        public boolean isDone() {
          return true;
        }

        @Override
        public void await() {}
      };

  private final Group group;
  private final GlobalRank rank;
  private final int position;
  private final NativeArena arena = new NativeArena("shared memory of a dry run");

  /**
   * The member {@code rank} of {@code group}.
   *
   * @throws IllegalArgumentException if it is none
   */
  public DryCommunicator(Group group, GlobalRank rank) {
    this.group = group;
    this.rank = rank;
    this.position =
        group
            .positionOf(rank)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "rank " + rank.value() + " is no member of " + group));
  }

  @Override
  public Group group() {
    return group;
  }

  @Override
  public GlobalRank rank() {
    return rank;
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public void run(Collective call) {
    call.check(group.size());
  }

  @Override
  public Handle start(Collective call) {
    run(call);
    return DONE;
  }

  @Override
  public void send(Elements data, int to) {
    checkPeer(to);
  }

  @Override
  public void receive(Elements data, int from) {
    checkPeer(from);
  }

  @Override
  public Handle startSend(Elements data, int to) {
    checkPeer(to);
    return DONE;
  }

  @Override
  public Handle startReceive(Elements data, int from) {
    checkPeer(from);
    return DONE;
  }

  private void checkPeer(int peer) {
    if (peer < 0 || peer >= group.size() || peer == position) {
      throw new IllegalArgumentException(
          "position "
              + peer
              + " is no other member of "
              + group
              + ", of which this is "
              + position);
    }
  }

  @Override
  public Communicator split(Group members) {
    return new DryCommunicator(members, rank);
  }

  @Override
  public MemorySegment allocate(long bytes) {
    return arena
        .allocate(DType.I32, Math.ceilDiv(bytes, Integer.BYTES))
        .segment()
        .asSlice(0, bytes);
  }

  @Override
  public Algorithm algorithm(Collective call) {
    run(call);
    return Algorithm.POINT_TO_POINT;
  }

  @Override
  public LinkSpeed speed() {
    return NO_LINK;
  }

  @Override
  public void abort(String reason) {
    throw new CommException(CommException.Kind.ABORTED, reason);
  }

  @Override
  public void close() {
    arena.close();
  }
}
