package dev.sortie.opencl;

import static org.jocl.CL.*;

import dev.sortie.tensor.memory.Block;
import dev.sortie.tensor.memory.DeviceMemory;
import dev.sortie.tensor.memory.Scope;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Storage;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jocl.CLException;
import org.jocl.Pointer;
import org.jocl.cl_mem;

/**
 * Which storages are on the device, and who has their newest contents. Each {@link Block} of the
 * host that a kernel meets gets one buffer: the same memory where device and host share it, else a
 * mirror of the same size, so that offsets agree. Every storage in it is in one of three states.
 *
 * <pre>
 *            shared memory                          a mirror
 * HOST       mapped: the host may touch it          the host's contents count
 * DEVICE     unmapped: the device may touch it      the device's contents count
 * BOTH       -                                      equal contents
 * </pre>
 *
 * Only a change of state moves bytes, and only in a mirror; those are counted.
 */
final class ClMemory implements DeviceMemory {
  /** Pieces in which large storages travel: JOCL's pointers go through buffers of 2 GiB at most. */
  private static final long PIECE = 1L << 30;

  private enum State {
    HOST,
    DEVICE,
    BOTH
  }

  private static final class Residence {
    private final ClMemory owner;
    private final ClBuffer buffer;
    private final Scope scope;
    private final List<ByteBuffer> mapped = new ArrayList<>();
    private volatile State state;

    Residence(ClMemory owner, ClBuffer buffer, Scope scope) {
      this.owner = owner;
      this.buffer = buffer;
      this.scope = scope;
      // shared memory is the device's until the host maps it; a mirror begins empty
      this.state = buffer.shared ? State.DEVICE : State.HOST;
    }
  }

  /** The buffer of a block. */
  private record ClBuffer(cl_mem mem, boolean shared) {}

  private final ClSession session;
  private final boolean share;
  private final Map<Block, ClBuffer> buffers = new IdentityHashMap<>();

  /** Mapped storages. */
  private final Set<Residence> inHostsHands = Collections.newSetFromMap(new IdentityHashMap<>());

  private volatile TransferCounts transfers = TransferCounts.NONE;

  /**
   * Memory of a session.
   *
   * @param share whether to work on the host's memory where the driver allows it
   */
  ClMemory(ClSession session, boolean share) {
    this.session = session;
    this.share = share;
  }

  TransferCounts transfers() {
    return transfers;
  }

  boolean shares() {
    return share;
  }

  /** Makes the device's contents of a storage those that count, and gives the buffer. */
  synchronized cl_mem read(Span span) {
    Residence r = residence(span.storage());
    if (r.state == State.HOST) {
      toDevice(span.storage(), r);
    }
    return r.buffer.mem;
  }

  /** As {@link #read}, for a kernel that changes elements of the span. */
  synchronized cl_mem update(Span span) {
    cl_mem mem = read(span);
    ((Residence) span.storage().residence()).state = State.DEVICE;
    return mem;
  }

  /** As {@link #update}, for a kernel that sets all elements of the span and reads none. */
  synchronized cl_mem write(Span span) {
    Residence r = residence(span.storage());
    if (r.state == State.HOST && (r.buffer.shared || span.length() < span.storage().length())) {
      toDevice(span.storage(), r);
    }
    r.state = State.DEVICE;
    return r.buffer.mem;
  }

  /** The span for a kernel of the host that reads it. */
  synchronized Span toHost(Span span, boolean writes) {
    if (span == null) {
      return null;
    }
    if (span.storage().block().device() == this) {
      beforeHost(span.storage(), writes);
    }
    return span.storage().handedOver().span(span.offset(), span.length());
  }

  @Override
  public void beforeHost(Storage storage, boolean writes) {
    Object note = storage.residence();
    if (note instanceof Residence r
        && (r.state == State.HOST || (r.state == State.BOTH && !writes))) {
      return;
    }
    bringHome(storage, writes);
  }

  private synchronized void bringHome(Storage storage, boolean writes) {
    if (!session.isOpen()) {
      if (storage.residence() instanceof Residence r
          && r.state == State.DEVICE
          && !r.buffer.shared) {
        throw new IllegalStateException(
            "the OpenCL device was closed while it held the only contents of this tensor");
      }
      return;
    }
    if (storage.residence() == null && !buffers.get(storage.block()).shared) {
      return; // never was on the device
    }
    Residence r = residence(storage);
    if (r.buffer.shared) {
      if (r.state != State.HOST) {
        map(storage, r);
      }
      return;
    }
    if (r.state == State.DEVICE) {
      fetch(storage, r);
    }
    r.state = writes ? State.HOST : State.BOTH;
  }

  private Residence residence(Storage storage) {
    if (storage.residence() instanceof Residence r && r.owner == this) {
      return r;
    }
    ClBuffer buffer = buffer(storage.block());
    storage.scope().check();
    unmapForgotten();
    Residence r = new Residence(this, buffer, storage.scope());
    storage.residence(r);
    return r;
  }

  private ClBuffer buffer(Block block) {
    ClBuffer known = buffers.get(block);
    if (known != null) {
      return known;
    }
    if (block.device() instanceof ClMemory other && other != this && other.session.isOpen()) {
      throw new IllegalStateException(
          "this memory is in use by "
              + other.session.device().about().name()
              + "; close that device before another works on it");
    }
    ClBuffer buffer = create(block.segment());
    buffers.put(block, buffer);
    block.attach(this, () -> release(block));
    return buffer;
  }

  private ClBuffer create(MemorySegment host) {
    // kernels read floats, so a tensor at an odd place of a mapped file gets a mirror
    if (share && host.byteSize() > 0 && host.address() % Float.BYTES == 0) {
      try {
        return new ClBuffer(session.share(host.byteSize(), pointer(host, 0)), true);
      } catch (IllegalStateException e) {
        if (!(e.getCause() instanceof CLException)) {
          throw e;
        }
        // a driver may refuse memory that it cannot pin, such as a mapped file: it gets a mirror
      }
    }
    return new ClBuffer(session.allocate(host.byteSize()), false);
  }

  private synchronized void release(Block block) {
    ClBuffer buffer = buffers.remove(block);
    if (buffer != null && session.isOpen()) {
      inHostsHands.removeIf(
          r -> {
            boolean here = r.buffer == buffer;
            if (here) {
              unmap(r);
            }
            return here;
          });
      session.release(buffer.mem);
    }
  }

  /** A pointer to byte {@code at}. Sizes are given separately, so its own limit does not count. */
  private static Pointer pointer(MemorySegment memory, long at) {
    long length = Math.min(memory.byteSize() - at, Integer.MAX_VALUE);
    return Pointer.toBuffer(memory.asSlice(at, length).asByteBuffer());
  }

  private void map(Storage storage, Residence r) {
    long bytes = storage.dtype().bytes(storage.length());
    long flags = CL_MAP_READ | CL_MAP_WRITE;
    for (long at = 0; at < bytes; at += PIECE) {
      r.mapped.add(
          clEnqueueMapBuffer(
              session.queue(),
              r.buffer.mem,
              true,
              flags,
              storage.blockOffset() + at,
              Math.min(PIECE, bytes - at),
              0,
              null,
              null,
              null));
    }
    inHostsHands.add(r);
    r.state = State.HOST;
  }

  private void unmap(Residence r) {
    for (ByteBuffer piece : r.mapped) {
      clEnqueueUnmapMemObject(session.queue(), r.buffer.mem, piece, 0, null, null);
    }
    r.mapped.clear();
    r.state = State.DEVICE;
  }

  /** Storages of a workspace are dropped, not given back: a new one may lie where they lay. */
  private void unmapForgotten() {
    for (var all = inHostsHands.iterator(); all.hasNext(); ) {
      Residence r = all.next();
      if (!r.scope.isOpen()) {
        unmap(r);
        all.remove();
      }
    }
  }

  private void toDevice(Storage storage, Residence r) {
    if (r.buffer.shared) {
      unmap(r);
      inHostsHands.remove(r);
      return;
    }
    long bytes = storage.dtype().bytes(storage.length());
    MemorySegment host = storage.handedOver().segment();
    for (long at = 0; at < bytes; at += PIECE) {
      clEnqueueWriteBuffer(
          session.queue(),
          r.buffer.mem,
          true,
          storage.blockOffset() + at,
          Math.min(PIECE, bytes - at),
          pointer(host, at),
          0,
          null,
          null);
    }
    transfers = transfers.sent(bytes);
    r.state = State.BOTH;
  }

  private void fetch(Storage storage, Residence r) {
    long bytes = storage.dtype().bytes(storage.length());
    MemorySegment host = storage.handedOver().segment();
    for (long at = 0; at < bytes; at += PIECE) {
      clEnqueueReadBuffer(
          session.queue(),
          r.buffer.mem,
          true,
          storage.blockOffset() + at,
          Math.min(PIECE, bytes - at),
          pointer(host, at),
          0,
          null,
          null);
    }
    transfers = transfers.fetched(bytes);
  }
}
