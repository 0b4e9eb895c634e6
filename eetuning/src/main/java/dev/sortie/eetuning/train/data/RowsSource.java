package dev.sortie.eetuning.train.data;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.text.data.Permutation;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Windows in memory, such as text that a model has just sampled: each row is one. The last rows are
 * held out; training takes the others in another order each epoch, by the seed.
 */
public final class RowsSource implements TokenSource {
  private final int[][] rows;
  private final int heldOut;
  private final long seed;

  /**
   * Windows.
   *
   * @param rows each of {@code T + 1} tokens
   * @param heldOut how many of the last are for validation
   */
  public RowsSource(int[][] rows, int heldOut, long seed) {
    if (heldOut < 0 || heldOut >= rows.length) {
      throw new InputException(
          heldOut + " of " + rows.length + " windows held out leave none to train on");
    }
    this.rows = rows;
    this.heldOut = heldOut;
    this.seed = seed;
  }

  @Override
  public int[] window(long index) {
    return rows[(int) number(index)];
  }

  @Override
  public long distinctWindows() {
    return rows.length - heldOut;
  }

  @Override
  public long number(long index) {
    return Permutation.inEpochs(distinctWindows(), seed, index);
  }

  @Override
  public long[] counts(int vocab) {
    long[] counts = new long[vocab];
    for (int[] row : Arrays.asList(rows).subList(0, rows.length - heldOut)) {
      for (int t = 1; t < row.length; t++) {
        counts[row[t]]++;
      }
    }
    return counts;
  }

  @Override
  public int validationCount() {
    return heldOut;
  }

  @Override
  public int[] validation(int i) {
    return rows[rows.length - heldOut + i];
  }

  @Override
  public int length() {
    return rows[0].length - 1;
  }

  @Override
  public String fingerprint() {
    Sha256 sha = new Sha256();
    for (int[] row : rows) {
      ByteBuffer bytes = ByteBuffer.allocate(row.length * 4);
      Arrays.stream(row).forEach(bytes::putInt);
      sha.update(bytes.array());
    }
    return sha.hex();
  }
}
