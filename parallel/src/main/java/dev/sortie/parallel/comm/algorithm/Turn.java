package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.transport.SharedMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/** One call of one member: what an algorithm works with. */
final class Turn {
  private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

  private final Messages messages;
  private final Fingerprint call;
  private final Adder adder;
  private final Scratch scratch;
  private final Supplier<Stage> stage;
  private final int position;
  private final int size;

  Turn(
      Messages messages,
      Fingerprint call,
      Adder adder,
      Scratch scratch,
      Supplier<Stage> stage,
      int position,
      int size) {
    this.messages = messages;
    this.call = call;
    this.adder = adder;
    this.scratch = scratch;
    this.stage = stage;
    this.position = position;
    this.size = size;
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

  ElementType type() {
    return call.type();
  }

  Slices slices(MemorySegment memory) {
    return new Slices(memory, size, call.type().bytes());
  }

  /** Where a gather puts all parts, with this member's own in its place. */
  Slices placed(Collective.AllGather gather) {
    Slices slices = slices(gather.all().memory());
    slices.get(position).copyFrom(gather.mine().memory());
    return slices;
  }

  /** Memory for this call, at least 64-byte aligned; taken once a call. */
  MemorySegment scratch(long bytes) {
    return scratch.take(bytes);
  }

  Outgoing to(int peer, MemorySegment payload) {
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
    adder.sum(call.type(), new MemorySegment[] {into, x}, into);
  }

  /** {@code x + into}, in this order, in {@code into}. */
  void addBefore(MemorySegment x, MemorySegment into) {
    adder.sum(call.type(), new MemorySegment[] {x, into}, into);
  }

  /** The sum of the inputs in their order, in each target. */
  void sum(MemorySegment[] inputs, MemorySegment... to) {
    adder.sum(call.type(), inputs, to);
  }

  Stage stage() {
    return stage.get();
  }

  SharedMemory shared() {
    return messages.shared().orElseThrow();
  }

  /**
   * What a member has from {@code offset} on at a readable place: in place where all see it, else
   * copied into {@code scratch}, whose length counts in both cases.
   */
  MemorySegment reach(int member, long place, long offset, MemorySegment scratch) {
    if (SharedMemory.isSeen(place)) {
      return shared().at(member, place + offset, scratch.byteSize());
    }
    shared().read(member, place, offset, scratch);
    return scratch;
  }

  /**
   * Tells all others where {@code mine} lies in shared memory, and learns where theirs lie. All
   * have begun the call when this returns.
   */
  long[] places(MemorySegment mine) {
    long place = shared().place(mine);
    Transfer[] all = new Transfer[2 * (size - 1)];
    for (int i = 1; i < size; i++) {
      all[i - 1] = messages.to(ring(i), call, NOTHING, place);
      all[size - 2 + i] = from(ring(-i), NOTHING);
    }
    run(all);
    long[] places = new long[size];
    places[position] = place;
    for (int i = 1; i < size; i++) {
      places[ring(-i)] = ((Incoming) all[size - 2 + i]).place();
    }
    return places;
  }

  /** All members have come here. */
  void meet() {
    Transfer[] all = new Transfer[2 * (size - 1)];
    for (int i = 1; i < size; i++) {
      all[i - 1] = to(ring(i), NOTHING);
      all[size - 2 + i] = from(ring(-i), NOTHING);
    }
    run(all);
  }

  /** Memory that grows with the largest call. */
  static final class Scratch implements AutoCloseable {
    private Arena arena = Arena.ofShared();
    private MemorySegment memory = MemorySegment.NULL;

    MemorySegment take(long bytes) {
      if (memory.byteSize() < bytes) {
        arena.close();
        arena = Arena.ofShared();
        memory = arena.allocate(Long.highestOneBit(Math.max(bytes, 4096) - 1) << 1, 64);
      }
      return memory.asSlice(0, bytes);
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
