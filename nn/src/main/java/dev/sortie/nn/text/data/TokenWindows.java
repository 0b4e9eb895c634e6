package dev.sortie.nn.text.data;

import dev.sortie.nn.InputException;

/**
 * A dataset cut into windows of T + 1 ids. Window w begins at id w·T, so that each id but the first
 * is predicted in exactly one window; what is left at the end is not used. The last windows are
 * held out: no id that they predict is ever seen in training.
 *
 * <p>The order in training is a pure function of (seed, index): a run that stopped after sample i
 * resumes with {@code window(i + 1)} and has no other state. Each epoch has its own order. The
 * dataset stays the caller's, to be closed after the last use. Thread-safe.
 */
public final class TokenWindows {
  private final TokenDataset dataset;
  private final int length;
  private final long seed;
  private final long training;
  private final long heldOut;

  /**
   * Windows of a dataset.
   *
   * @param length T, tokens predicted in a window
   * @param heldOutFraction share of the windows held out, from 0 to below 1; rounded up
   * @param seed chooses the order of training
   * @throws InputException if the dataset is too short for one window on each side
   */
  public TokenWindows(TokenDataset dataset, int length, double heldOutFraction, long seed) {
    if (length < 1) {
      throw new InputException("window length " + length + " is below 1");
    }
    if (!(heldOutFraction >= 0 && heldOutFraction < 1)) {
      throw new InputException(
          "held-out fraction " + heldOutFraction + " is not from 0 to below 1");
    }
    long windows = Math.max(0, dataset.size() - 1) / length;
    this.dataset = dataset;
    this.length = length;
    this.seed = seed;
    heldOut = (long) Math.ceil(windows * heldOutFraction);
    training = windows - heldOut;
    if (training < 1) {
      throw new InputException(
          ("%s: %d ids give %d windows of %d + 1; with %d held out none is left to train on;"
                  + " use more text or shorter windows")
              .formatted(dataset.file(), dataset.size(), windows, length, heldOut));
    }
  }

  /** T, tokens predicted in a window. */
  public int length() {
    return length;
  }

  /** Windows to train on in one epoch. */
  public long trainingWindows() {
    return training;
  }

  /** Windows held out. */
  public long heldOutWindows() {
    return heldOut;
  }

  /**
   * Training sample {@code globalIndex}, counted from 0 over all epochs.
   *
   * @return T + 1 ids
   */
  public int[] window(long globalIndex) {
    return read(number(globalIndex));
  }

  /** Which window is training sample {@code globalIndex}, in the order of the text. */
  public long number(long globalIndex) {
    if (globalIndex < 0) {
      throw new IndexOutOfBoundsException("sample " + globalIndex + " is negative");
    }
    return Permutation.inEpochs(training, seed, globalIndex);
  }

  /**
   * Training samples {@code first} to {@code first + count - 1}.
   *
   * @return [count, T + 1] ids
   */
  public int[][] batch(long first, int count) {
    int[][] batch = new int[count][];
    for (int i = 0; i < count; i++) {
      batch[i] = window(first + i);
    }
    return batch;
  }

  /**
   * Held-out window {@code index}, in the order of the text.
   *
   * @return T + 1 ids
   */
  public int[] heldOut(long index) {
    if (index < 0 || index >= heldOut) {
      throw new IndexOutOfBoundsException("held-out window " + index + " of " + heldOut);
    }
    return read(training + index);
  }

  private int[] read(long window) {
    int[] ids = new int[length + 1];
    dataset.read(window * length, ids);
    return ids;
  }
}
