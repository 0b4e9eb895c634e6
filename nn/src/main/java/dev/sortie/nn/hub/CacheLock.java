package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.HeldFile;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;

/** One pull of a repository at a time. The system drops the lock of a process that ends. */
final class CacheLock implements AutoCloseable {
  private static final Duration POLL = Duration.ofMillis(100);

  private final HeldFile held;

  private CacheLock(HeldFile held) {
    this.held = held;
  }

  /** Waits until no other pull of {@code repo} runs. */
  static CacheLock take(Path file, RepoId repo, PullListener listener) {
    HubCache.createFolders(file.getParent());
    boolean told = false;
    try {
      CacheLock lock;
      while ((lock = attempt(file)) == null) {
        if (!told) {
          listener.note("another pull of " + repo + " is running; waiting for it");
          told = true;
        }
        Thread.sleep(POLL);
      }
      return lock;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InputException(repo + ": interrupted while another pull runs", e);
    } catch (IOException e) {
      throw HubCache.cannotWrite(file, e);
    }
  }

  /** Null while another thread or process has the lock. */
  private static CacheLock attempt(Path file) throws IOException {
    Optional<HeldFile> opened =
        HeldFile.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    boolean locked = false;
    try {
      locked = opened.isPresent() && opened.get().channel().tryLock() != null;
      return locked ? new CacheLock(opened.get()) : null;
    } finally {
      if (!locked && opened.isPresent()) {
        opened.get().close();
      }
    }
  }

  @Override
  public void close() {
    try {
      held.close();
    } catch (IOException e) {
      System.getLogger(CacheLock.class.getName())
          .log(System.Logger.Level.WARNING, "a lock file could not be closed", e);
    }
  }
}
