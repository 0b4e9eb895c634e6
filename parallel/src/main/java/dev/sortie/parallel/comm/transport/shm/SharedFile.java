package dev.sortie.parallel.comm.transport.shm;

import static dev.sortie.parallel.comm.transport.shm.SharedFileLayout.CONTENTS;
import static dev.sortie.parallel.comm.transport.shm.SharedFileLayout.COUNTER;
import static dev.sortie.parallel.comm.transport.shm.SharedFileLayout.MAGIC;
import static dev.sortie.parallel.comm.transport.shm.SharedFileLayout.MAPPED;
import static dev.sortie.parallel.comm.transport.shm.SharedFileLayout.READY;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Failure;
import dev.sortie.parallel.comm.transport.IdleStrategy;
import dev.sortie.parallel.comm.transport.Transport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Memory that several processes map. One of them creates the file; its name is gone as soon as all
 * have mapped it, or one has failed, so that nothing stays behind however they end.
 */
final class SharedFile {
  private final Transport transport;
  private final JobFiles files;
  private final Duration deadline;

  SharedFile(Transport transport, JobFiles files, Duration deadline) {
    this.transport = transport;
    this.files = files;
    this.deadline = deadline;
  }

  /** Zeroed memory of {@code bytes}, mapped by {@code members} processes, unmapped by the arena. */
  MemorySegment open(String name, int creator, int members, long bytes, Arena arena) {
    return open(
        name,
        creator,
        bytes,
        arena,
        file -> {
          COUNTER.getAndAdd(file, MAPPED, 1L);
          IdleStrategy idle = new IdleStrategy(transport, deadline);
          while ((long) COUNTER.getAcquire(file, MAPPED) < members) {
            idle.idle(
                () ->
                    "rank %d waits for all %d members to map %s"
                        .formatted(transport.rank().value(), members, files.path(name)));
          }
        });
  }

  /**
   * Zeroed memory of {@code bytes}.
   *
   * @param creator rank that makes the file
   * @param meeting takes all of the file and returns after all have mapped it
   */
  MemorySegment open(
      String name, int creator, long bytes, Arena arena, Consumer<MemorySegment> meeting) {
    Path path = files.path(name);
    boolean mine = creator == transport.rank().value();
    boolean ours = true; // also while it is waited for: its creator may have died over it
    try {
      MemorySegment file =
          mine
              ? create(path, CONTENTS + bytes, arena)
              : find(path, creator, CONTENTS + bytes, arena);
      meeting.accept(file);
      return contents(file);
    } catch (FileAlreadyExistsException e) {
      ours = false; // what others put there is not ours to remove
      throw failed(path, new IOException("there is such a file; name the job otherwise", e));
    } catch (IOException e) {
      ours = mine;
      throw failed(path, e);
    } finally {
      if (ours) {
        remove(path);
      }
    }
  }

  /** What of a mapped file is the caller's. */
  static MemorySegment contents(MemorySegment file) {
    return file.asSlice(CONTENTS);
  }

  private MemorySegment create(Path path, long bytes, Arena arena) throws IOException {
    long free = Files.getFileStore(path.getParent()).getUsableSpace();
    if (free < bytes) {
      throw new IOException(
          "it needs "
              + bytes
              + " bytes and "
              + path.getParent()
              + " has "
              + free
              + " left; free some, or name another folder");
    }
    Set<StandardOpenOption> options =
        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try (FileChannel channel = FileChannel.open(path, options, JobFiles.onlyForUs())) {
      channel.write(ByteBuffer.allocate(1), bytes - 1);
      MemorySegment file = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
      HugePageAdvice.give(file);
      file.fill((byte) 0); // takes the pages now: a full folder is an error here, not a crash later
      COUNTER.setRelease(file, READY, MAGIC);
      return file;
    } catch (InternalError e) {
      throw new IOException(path.getParent() + " is full", e);
    }
  }

  private MemorySegment find(Path path, int creator, long bytes, Arena arena) throws IOException {
    IdleStrategy idle = new IdleStrategy(transport, deadline);
    while (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) || Files.size(path) != bytes) {
      idle.idle(
          () ->
              "rank %d waits for rank %d to make %s of %d bytes"
                  .formatted(transport.rank().value(), creator, path, bytes));
    }
    files.requirePrivate(path);
    try (FileChannel channel =
        FileChannel.open(
            path, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      MemorySegment file = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
      while ((long) COUNTER.getAcquire(file, READY) != MAGIC) {
        idle.idle(
            () ->
                "rank %d waits for rank %d to fill %s"
                    .formatted(transport.rank().value(), creator, path));
      }
      return file;
    }
  }

  private CommException failed(Path path, IOException e) {
    Failure failure =
        new Failure(
            CommException.Kind.ABORTED,
            "rank %d cannot share memory through %s: %s"
                .formatted(transport.rank().value(), path, e.getMessage()));
    transport.fail(failure);
    return new CommException(failure.kind(), failure.reason(), e);
  }

  private static void remove(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
