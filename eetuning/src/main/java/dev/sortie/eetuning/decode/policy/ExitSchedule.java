package dev.sortie.eetuning.decode.policy;

import java.util.Arrays;

/**
 * Which exits are evaluated for the next token of a text: the one rule, for all ways of decoding,
 * for their price and for calibration.
 *
 * <p><b>Back-off.</b> An exit that was taken lately is evaluated for every token. After {@value
 * #PATIENCE} tokens that passed it and were not taken it is evaluated for every second, after
 * {@code 2}, {@code 4} and {@code 8} times as many for every fourth, eighth and sixteenth, until it
 * is taken again. So an exit that hardly ever fires costs little, and one that fires often is
 * seldom skipped for long.
 *
 * <p><b>Deficit.</b> After {@code maxPending} tokens in a row that left between layers no exit
 * there is evaluated: the layers above could get more rows at once than are stable.
 *
 * <p>Both depend on nothing but where the tokens since the prompt have left. So the same text is
 * decoded in the same way again, in a batch and on a pipeline too, and a trace of where tokens left
 * says what was evaluated.
 */
public final class ExitSchedule {
  /** Tokens that pass an exit in vain before it is evaluated less often. */
  static final int PATIENCE = 8;

  /** At least one token of so many is evaluated. */
  static final int SELDOM = 16;

  /** For {@link #left}: the token left in an earlier pipeline stage and reached none of these. */
  public static final int ELSEWHERE = -1;

  private final int between;
  private final int maxPending;
  private final boolean rests;

  /** Of each exit: tokens that passed it since it was taken. */
  private final int[] passed;

  /** Where each token since {@link #start} left, the number of exits for the final layer. */
  private int[] left = new int[16];

  private int count;
  private int start;

  /**
   * Before the first token.
   *
   * @param exits how many, shallow first
   * @param between how many of them stand between layers; one after the last layer leaves no
   *     deficit
   * @param maxPending tokens in a row that may leave between layers
   * @param rests whether exits back off at all
   */
  public ExitSchedule(int exits, int between, int maxPending, boolean rests) {
    this.passed = new int[exits];
    this.between = between;
    this.maxPending = maxPending;
    this.rests = rests;
  }

  /** Whether exit {@code exit}, from 0, is evaluated for the next token. */
  public boolean asks(int exit) {
    return asks(exit, pending());
  }

  /**
   * The same in a pipeline stage, which does not see where all tokens leave.
   *
   * @param pending what {@link #pending} says of all exits
   */
  public boolean asks(int exit, int pending) {
    return (exit == between || pending < maxPending) && due(exit);
  }

  /** Whether exit {@code exit} has not backed off for the next token. */
  boolean due(int exit) {
    int since = passed[exit];
    if (!rests || since < PATIENCE) {
      return true;
    }
    int every = Math.min(SELDOM, 2 * Integer.highestOneBit(since / PATIENCE));
    return since % every == 0;
  }

  /** How many tokens in a row, up to the last one decoded, left between layers. */
  public int pending() {
    int row = 0;
    while (row < count && left[count - 1 - row] < between) {
      row++;
    }
    return row;
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
    countPassed(exit);
  }

  private void countPassed(int exit) {
    for (int e = 0; e < Math.min(exit, passed.length); e++) {
      passed[e]++;
    }
    if (exit != ELSEWHERE && exit < passed.length) {
      passed[exit] = 0;
    }
  }

  /** A prompt was read up to {@code position}: what was before it does not count any more. */
  public void start(int position) {
    start = position;
    count = 0;
    Arrays.fill(passed, 0);
  }

  /** Forgets the tokens from {@code position} on. */
  public void rewind(int position) {
    int kept = Math.max(0, position - start);
    start = Math.min(start, position);
    if (kept < count) {
      count = kept;
      Arrays.fill(passed, 0);
      for (int i = 0; i < count; i++) {
        countPassed(left[i]);
      }
    }
  }
}
