package dev.sortie.nn.mutation;

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
record Subject(String name, List<byte[]> corpus, Reading reading, boolean strict) {

  Subject(String name, List<byte[]> corpus, Reading reading) {
    this(name, corpus, reading, true);
  }

  /** Reads a file; only an {@code InputException} may come of it. */
  @FunctionalInterface
  interface Reading {
    void read(byte[] bytes) throws IOException;
  }
}
