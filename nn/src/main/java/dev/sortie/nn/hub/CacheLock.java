package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/** One pull of a repository at a time. The system drops the lock of a process that ends. */
final class CacheLock implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(100);

  private final FileChannel channel;

  private CacheLock(FileChannel channel) {
    this.channel = channel;
  }

  /** Waits until no other pull of {@code repo} runs. */
  static CacheLock take(Path file, RepoId repo, PullListener listener) {
    HubCache.createFolders(file.getParent());
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        boolean told = false;
        while (!isLocked(channel)) {
          if (!told) {
            listener.note("another pull of " + repo + " is running; waiting for it");
            told = true;
          }
          Thread.sleep(POLL);
        }
        return new CacheLock(channel);
      } catch (InterruptedException e) {
        channel.close();
        Thread.currentThread().interrupt();
        throw new InputException(repo + ": interrupted while another pull runs", e);
      } catch (IOException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw HubCache.cannotWrite(file, e);
    }
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // held by another thread of this process
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      System.getLogger(CacheLock.class.getName())
          .log(System.Logger.Level.WARNING, "a lock file could not be closed", e);
    }
  }
}
