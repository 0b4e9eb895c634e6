package dev.sortie.nn.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A file that is open for its lock. POSIX takes all locks of a file from a process that closes any
 * channel of it, so this process has such a file open once at a time.
 */
public final class HeldFile implements AutoCloseable {
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path name;
  private final FileChannel channel;

  private HeldFile(Path name, FileChannel channel) {
    this.name = name;
    this.channel = channel;
  }

  /**
   * Opens a file; empty while this process has it open already, under this name of its folder or
   * another one.
   *
   * @throws IOException if it cannot be opened
   */
  public static Optional<HeldFile> open(Path file, OpenOption... options) throws IOException {
    Path name = file.toAbsolutePath().getParent().toRealPath().resolve(file.getFileName());
    if (!HELD.add(name)) {
      return Optional.empty();
    }
    FileChannel channel = null;
    try {
      channel = FileChannel.open(name, options);
      return Optional.of(new HeldFile(name, channel));
    } finally {
      if (channel == null) {
        HELD.remove(name);
      }
    }
  }

  /** The open file, to be closed by {@link #close} alone. */
  public FileChannel channel() {
    return channel;
  }

  /** Closes the file, which gives up its lock. */
  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      HELD.remove(name);
    }
  }
}
