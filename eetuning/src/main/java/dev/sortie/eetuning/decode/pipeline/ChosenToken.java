package dev.sortie.eetuning.decode.pipeline;

import java.util.OptionalInt;

/**
 * The token that a stage has chosen.
 *
 * @param text whose
 * @param position where it will stand
 * @param id the token
 * @param exit depth of the exit that chose it; empty for the final layer
 * @param confidence largest probability there
 */
record ChosenToken(int text, int position, int id, OptionalInt exit, double confidence) {
  static final int NUMBERS = 5;
  private static final long NO_TEXT = -1;

  /** What a stage sends when it ends, in place of an answer. */
  static long[] endOfStream() {
    return new long[] {NO_TEXT, 0, 0, 0, 0};
  }

  static boolean isEndOfStream(long[] numbers) {
    return numbers[0] == NO_TEXT;
  }

  long[] numbers() {
    return new long[] {text, position, id, exit.orElse(0), Double.doubleToRawLongBits(confidence)};
  }

  static ChosenToken of(long[] numbers) {
    return new ChosenToken(
        (int) numbers[0],
        (int) numbers[1],
        (int) numbers[2],
        numbers[3] == 0 ? OptionalInt.empty() : OptionalInt.of((int) numbers[3]),
        Double.longBitsToDouble(numbers[4]));
  }
}
