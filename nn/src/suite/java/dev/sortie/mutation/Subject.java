package dev.sortie.mutation;

import java.io.IOException;
import java.util.List;

/**
 * One kind of file.
 *
 * @param name of the kind, and of the file that is written
 * @param corpus right files
 * @param reading does with a file all that Sortie would do
 * @param strict whether each of the corpus must be read without a complaint
 */
public record Subject(String name, List<byte[]> corpus, Reading reading, boolean strict) {

  /** A subject whose corpus is right. */
  public Subject(String name, List<byte[]> corpus, Reading reading) {
    this(name, corpus, reading, true);
  }

  /** Reads a file; only an {@code InputException} may come of it. */
  @FunctionalInterface
  public interface Reading {
    /** Reads it. */
    void read(byte[] bytes) throws IOException;
  }
}
