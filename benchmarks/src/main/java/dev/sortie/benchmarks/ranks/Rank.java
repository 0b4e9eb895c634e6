package dev.sortie.benchmarks.ranks;

import dev.sortie.parallel.comm.Communicator;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.comm.Handle;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** One of two ranks: answers questions, both ranks the same ones in the same order. */
final class Rank implements AutoCloseable {
  private final Communicator communicator;
  private final PlainSocket socket;
  private final NativeArena arena = new NativeArena("rank");
  private final MemorySegment own;
  private final MemorySegment common;

  /**
   * A rank.
   *
   * @param socket to the other rank, or null if none is asked about
   * @param bytes of the largest buffer
   */
  Rank(Communicator communicator, PlainSocket socket, long bytes) {
    this.communicator = communicator;
    this.socket = socket;
    this.own = arena.allocate(DType.F32, bytes / DType.F32.bytes()).span().segment();
    this.common = communicator.allocate(bytes);
    own.fill((byte) 0); // pages exist from the first touch on
    common.fill((byte) 0);
  }

  Map<String, Object> answer(Question q) {
    MemorySegment memory = q.where() == Question.Where.SHARED ? common : own;
    MemorySegment buffer = memory.asSlice(0, q.bytes());
    Runnable work = work(q, new Elements(ElementType.F32, buffer));
    if (q.what() == Question.What.CHECK) {
      WholeNumbers.fill(buffer, communicator.position());
      work.run();
      String hash = WholeNumbers.hash(buffer);
      buffer.fill((byte) 0); // sums of zeros stay zeros however often they are made
      return Map.of("hash", hash);
    }
    return Map.of("seconds", seconds(q, work));
  }

  private double seconds(Question q, Runnable work) {
    work.run();
    communicator.barrier();
    long start = System.nanoTime();
    for (int i = 0; i < q.calls(); i++) {
      work.run();
    }
    if (q.what() == Question.What.STREAM) {
      communicator.barrier(); // what was sent has come
    }
    return (System.nanoTime() - start) * 1e-9 / q.calls();
  }

  private Runnable work(Question q, Elements data) {
    boolean plain = q.where() == Question.Where.SOCKET;
    boolean first = communicator.position() == 0;
    int peer = 1 - communicator.position();
    ByteBuffer bytes = data.memory().asByteBuffer();
    return switch (q.what()) {
      case CHECK, SUM -> () -> communicator.allReduce(data);
      case MESSAGES -> plain ? () -> swap(bytes, first) : () -> swap(data, first);
      case STREAM -> {
        if (plain) {
          yield () -> move(bytes, first);
        }
        yield first ? () -> communicator.send(data, peer) : () -> communicator.receive(data, peer);
      }
      case BOTH -> plain ? () -> both(bytes) : () -> both(data);
    };
  }

  private void swap(Elements data, boolean first) {
    if (first) {
      communicator.send(data, 1);
      communicator.receive(data, 1);
    } else {
      communicator.receive(data, 0);
      communicator.send(data, 0);
    }
  }

  private void swap(ByteBuffer bytes, boolean first) {
    move(bytes, first);
    move(bytes, !first);
  }

  private void move(ByteBuffer bytes, boolean send) {
    if (send) {
      socket.write(bytes.clear());
    } else {
      socket.read(bytes.clear());
    }
  }

  /** Sends half of the buffer while it receives the other half. */
  private void both(Elements data) {
    int peer = 1 - communicator.position();
    long half = data.count() / 2;
    Handle sent = communicator.startSend(data.slice(0, half), peer);
    communicator.receive(data.slice(half, half), peer);
    sent.await();
  }

  private void both(ByteBuffer bytes) {
    int half = bytes.capacity() / 2;
    CompletableFuture<Void> sent =
        CompletableFuture.runAsync(() -> socket.write(bytes.slice(0, half)));
    socket.read(bytes.slice(half, half));
    sent.join();
  }

  @Override
  public void close() {
    if (socket != null) {
      socket.close();
    }
    arena.close();
  }
}
