package dev.sortie.eetuning.decode.policy;

import java.util.Arrays;

/**
 * How often each exit is asked. One that was taken lately is asked about every token. After {@value
 * #PATIENCE} tokens that came by and went on it is asked about every second, after {@code 2},
 * {@code 4} and {@code 8} times as many about every fourth, eighth and sixteenth, until it is taken
 * again. So an exit that hardly ever fires costs little, and one that fires often is seldom silent
 * for so long.
 *
 * <p>This depends on nothing but where the tokens since the prompt have left, so the same text is
 * decoded in the same way again, in a batch too, and a trace of where tokens left says what was
 * asked.
 */
public final class Pace {
  /** Tokens that come by in vain before an exit is asked less often. */
  static final int PATIENCE = 8;

  /** At least one token of so many is asked about. */
  static final int SELDOM = 16;

  /**
   * For {@link #left}: the token left in a stage before this one, and came to none of these exits.
   */
  public static final int ELSEWHERE = -1;

  private final boolean rests;

  /** Of each exit: tokens that came by since it was taken. */
  private final int[] silent;

  /** Where each token since {@link #start} left, the number of exits for the final layer. */
  private int[] left = new int[16];

  private int count;
  private int start;

  /**
   * Before the first token.
   *
   * @param exits how many, shallow first
   * @param rests whether exits are asked less often at all
   */
  public Pace(int exits, boolean rests) {
    this.silent = new int[exits];
    this.rests = rests;
  }

  /** Whether exit {@code exit}, from 0, is asked about the token that comes by now. */
  public boolean due(int exit) {
    int since = silent[exit];
    if (!rests || since < PATIENCE) {
      return true;
    }
    int every = Math.min(SELDOM, 2 * Integer.highestOneBit(since / PATIENCE));
    return since % every == 0;
  }

  /**
   * A token was decoded.
   *
   * @param exit the exit that it left at, from 0; the number of exits for the final layer, and for
   *     the next stage; or {@link #ELSEWHERE}
   */
  public void left(int exit) {
    if (count == left.length) {
      left = Arrays.copyOf(left, 2 * count);
    }
    left[count++] = exit;
    cameBy(exit);
  }

  private void cameBy(int exit) {
    for (int e = 0; e < Math.min(exit, silent.length); e++) {
      silent[e]++;
    }
    if (exit != ELSEWHERE && exit < silent.length) {
      silent[exit] = 0;
    }
  }

  /**
   * Whether the token that comes by now is asked about at an exit: not between layers after so many
   * tokens in a row that the layers above could get more at once than are stable.
   *
   * @param exit from 0
   * @param between exits between layers; one behind the last layer keeps no token waiting
   * @param maxPending tokens that may leave between layers in a row
   */
  public boolean asks(int exit, int between, int maxPending) {
    return (exit == between || leftBefore(between) < maxPending) && due(exit);
  }

  /** How many tokens in a row, to the last one decoded, left before exit {@code exit}. */
  private int leftBefore(int exit) {
    int row = 0;
    while (row < count && left[count - 1 - row] < exit) {
      row++;
    }
    return row;
  }

  /** A prompt was read up to {@code position}: what was before it does not count any more. */
  public void start(int position) {
    start = position;
    count = 0;
    Arrays.fill(silent, 0);
  }

  /** Forgets the tokens from {@code position} on. */
  public void rewind(int position) {
    int kept = Math.max(0, position - start);
    start = Math.min(start, position);
    if (kept < count) {
      count = kept;
      Arrays.fill(silent, 0);
      for (int i = 0; i < count; i++) {
        cameBy(left[i]);
      }
    }
  }
}
