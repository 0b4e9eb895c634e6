package dev.sortie.eetuning.train.data;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.nn.text.data.TokenWindows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Windows of text files, tokenised once into a file in the run's folder. Every epoch has its own
 * order; the held-out share is never trained on.
 */
public final class DatasetSource implements TokenSource, AutoCloseable {
  private final TokenDataset dataset;
  private final TokenWindows windows;
  private final String fingerprint;

  private DatasetSource(Path file, int length, double heldOut, long seed) {
    this.dataset = TokenDataset.open(file);
    this.fingerprint = Sha256.of(file);
    try {
      this.windows = new TokenWindows(dataset, length, heldOut, seed);
    } catch (RuntimeException e) {
      dataset.close();
      throw e;
    }
  }

  /**
   * Tokenises texts and opens the result.
   *
   * @param file where the ids go
   * @param begun whether the run goes on: then a file that is there stays as it is
   * @param length T, tokens predicted in a window
   * @param heldOut share of windows for validation
   * @throws InputException if a text is no good or too short, or has not the ids of the run that
   *     goes on; then no new file is left
   */
  public static DatasetSource build(
      Tokenizer tokenizer,
      List<Path> texts,
      Path file,
      boolean begun,
      int length,
      double heldOut,
      long seed) {
    boolean isNew = Files.notExists(file);
    if (begun && !isNew) {
      requireSame(tokenizer, texts, file);
    } else {
      TokenDataset.build(tokenizer, texts, file);
    }
    try {
      return new DatasetSource(file, length, heldOut, seed);
    } catch (InputException e) {
      if (isNew) {
        delete(file);
      }
      throw e;
    }
  }

  private static void requireSame(Tokenizer tokenizer, List<Path> texts, Path file) {
    Path again = file.resolveSibling(file.getFileName() + ".again");
    try {
      TokenDataset.build(tokenizer, texts, again);
      if (Files.mismatch(again, file) >= 0) {
        throw new InputException(
            file + ": this run was begun with other data; use the same or give another --out");
      }
    } catch (IOException e) {
      throw InputFiles.cannotRead(file, e);
    } finally {
      delete(again);
    }
  }

  /**
   * Opens a token file.
   *
   * @param vocab number of tokens of the model
   * @throws InputException if it is damaged, too short or of another vocabulary
   */
  public static DatasetSource open(Path file, int length, double heldOut, long seed, int vocab) {
    DatasetSource source = new DatasetSource(file, length, heldOut, seed);
    int found = source.dataset.vocabSize();
    if (found > vocab) {
      source.close();
      throw new InputException(
          file
              + ": holds ids of a vocabulary of "
              + found
              + ", the model has "
              + vocab
              + "; make it with the model's own tokenizer");
    }
    return source;
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + file, e);
    }
  }

  /** Windows to train on in one epoch. */
  public long trainingWindows() {
    return windows.trainingWindows();
  }

  @Override
  public long distinctWindows() {
    return windows.trainingWindows();
  }

  @Override
  public long number(long index) {
    return windows.number(index);
  }

  @Override
  public long[] counts(int vocab) {
    long[] counts = new long[vocab];
    for (long i = 0; i < windows.trainingWindows(); i++) {
      int[] window = windows.window(i);
      for (int t = 1; t < window.length; t++) {
        counts[window[t]]++;
      }
    }
    return counts;
  }

  @Override
  public int[] window(long index) {
    return windows.window(index);
  }

  @Override
  public int validationCount() {
    return Math.toIntExact(windows.heldOutWindows());
  }

  @Override
  public int[] validation(int i) {
    return windows.heldOut(i);
  }

  @Override
  public int length() {
    return windows.length();
  }

  @Override
  public String fingerprint() {
    return fingerprint;
  }

  @Override
  public void close() {
    dataset.close();
  }
}
