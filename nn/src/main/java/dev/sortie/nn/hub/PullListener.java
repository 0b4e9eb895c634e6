package dev.sortie.nn.hub;

import java.util.List;

/** Is told how far a pull is. */
public interface PullListener {
  /** Ignores everything. */
  PullListener NONE = new PullListener() {};

  /**
   * What will be there in the end.
   *
   * @param files all files chosen
   * @param bytes of all of them
   * @param present bytes of them that the cache has already
   */
  default void planned(List<String> files, long bytes, long present) {}

  /**
   * Bytes have come.
   *
   * @param file which file is under way
   * @param fileDone bytes of it that are here
   * @param fileBytes bytes of it
   * @param done bytes of all files that are here
   */
  default void progress(String file, long fileDone, long fileBytes, long done) {}

  /** Something that a person would like to know, in one line: a wait, a new start. */
  default void note(String line) {}
}
