package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.message.CallFingerprint;
import dev.sortie.parallel.comm.message.Incoming;
import dev.sortie.parallel.comm.message.Messages;
import dev.sortie.parallel.comm.message.Transfer;
import dev.sortie.parallel.comm.transport.SharedMemory;
import java.lang.foreign.MemorySegment;

/** One call of one member: what an algorithm works with. */
final class CollectiveContext {
  private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

  private final Collectives group;
  private final Messages messages;
  private final CallFingerprint call;
  private final int position;
  private final int size;

  CollectiveContext(Collectives group, Messages messages, CallFingerprint call) {
    this.group = group;
    this.messages = messages;
    this.call = call;
    this.position = messages.position();
    this.size = messages.size();
  }

  int position() {
    return position;
  }

  int size() {
    return size;
  }

  /** The position {@code distance} after this one on the ring; before it when negative. */
  int ring(int distance) {
    return Math.floorMod(position + distance, size);
  }

  Slices slices(MemorySegment memory) {
    return new Slices(memory, size, call.type().bytes());
  }

  /** Where a gather puts all parts, with this member's own in its place. */
  Slices gathered(Collective.AllGather gather) {
    Slices slices = slices(gather.all().memory());
    slices.get(position).copyFrom(gather.mine().memory());
    return slices;
  }

  /** Memory for this call, at least 64-byte aligned; taken once a call. */
  MemorySegment scratch(long bytes) {
    return group.scratch(bytes);
  }

  Transfer to(int peer, MemorySegment payload) {
    return messages.to(peer, call, payload, SharedMemory.PRIVATE);
  }

  Incoming from(int peer, MemorySegment payload) {
    return messages.from(peer, call, payload);
  }

  void run(Transfer... transfers) {
    messages.run(call, transfers);
  }

  void send(int peer, MemorySegment payload) {
    run(to(peer, payload));
  }

  void receive(int peer, MemorySegment payload) {
    run(from(peer, payload));
  }

  /** Sends to one member while receiving from one. */
  void swap(int to, MemorySegment payload, int from, MemorySegment into) {
    run(to(to, payload), from(from, into));
  }

  /** {@code into += x}. */
  void add(MemorySegment into, MemorySegment x) {
    sum(new MemorySegment[] {into, x}, into);
  }

  /** {@code x + into}, in this order, in {@code into}. */
  void addBefore(MemorySegment x, MemorySegment into) {
    sum(new MemorySegment[] {x, into}, into);
  }

  /** The sum of the inputs in their order, in each target. */
  void sum(MemorySegment[] inputs, MemorySegment... to) {
    group.adder().sum(call.type(), inputs, to);
  }

  StagingBuffers staging() {
    return group.staging();
  }

  /**
   * Tells all others where {@code mine} lies in shared memory, and learns where theirs lie. All
   * have begun the call when this returns.
   */
  PeerBuffers buffers(MemorySegment mine) {
    SharedMemory memory = messages.shared().orElseThrow();
    long place = memory.place(mine);
    Incoming[] theirs = new Incoming[size];
    Transfer[] all = new Transfer[2 * (size - 1)];
    for (int i = 1; i < size; i++) {
      int peer = ring(-i);
      theirs[peer] = from(peer, NOTHING);
      all[i - 1] = messages.to(ring(i), call, NOTHING, place);
      all[size - 2 + i] = theirs[peer];
    }
    run(all);
    long[] places = new long[size];
    for (int i = 0; i < size; i++) {
      places[i] = i == position ? place : theirs[i].place();
    }
    return new PeerBuffers(memory, places);
  }

  /** Returns when all members have come here. */
  void barrier() {
    Transfer[] all = new Transfer[2 * (size - 1)];
    for (int i = 1; i < size; i++) {
      all[i - 1] = to(ring(i), NOTHING);
      all[size - 2 + i] = from(ring(-i), NOTHING);
    }
    run(all);
  }
}
