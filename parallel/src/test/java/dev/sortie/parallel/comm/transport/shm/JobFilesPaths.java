package dev.sortie.parallel.comm.transport.shm;

import java.nio.file.Path;

/** Where jobs have their files, for tests that are there first. */
public final class JobFilesPaths {
  private JobFilesPaths() {}

  /** The file in which ranks meet. */
  public static Path control(Path folder, String job) {
    return new JobFiles(folder, job).path("control");
  }
}
