package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.CodePoints;
import dev.sortie.eetuning.decode.grammar.Expression;
import java.util.ArrayList;
import java.util.List;

/** Whole numbers within bounds, digit by digit. */
final class WholeNumbers {
  private WholeNumbers() {}

  /** The numbers from the one to the other, 0 or more, without zeros before them. */
  static Expression between(long first, long last) {
    List<Expression> lengths = new ArrayList<>();
    for (long from = first; from <= last; ) {
      String digits = Long.toString(from);
      long most = Long.parseLong("9".repeat(digits.length()));
      lengths.add(within(digits, Long.toString(Math.min(most, last))));
      from = most + 1;
    }
    return new Expression.Choice(lengths);
  }

  /** Numbers with as many digits as both bounds have. */
  private static Expression within(String first, String last) {
    if (first.isEmpty()) {
      return Expression.EMPTY;
    }
    char low = first.charAt(0);
    char high = last.charAt(0);
    if (low == high) {
      return Expression.sequence(digit(low, low), within(first.substring(1), last.substring(1)));
    }
    String zeros = "0".repeat(first.length() - 1);
    String nines = "9".repeat(first.length() - 1);
    List<Expression> all = new ArrayList<>();
    char from = low;
    char to = high;
    if (!first.substring(1).equals(zeros)) {
      all.add(Expression.sequence(digit(low, low), within(first.substring(1), nines)));
      from++;
    }
    if (!last.substring(1).equals(nines)) {
      all.add(Expression.sequence(digit(high, high), within(zeros, last.substring(1))));
      to--;
    }
    if (from <= to) {
      all.add(
          Expression.sequence(
              digit(from, to),
              new Expression.Repeat(digit('0', '9'), zeros.length(), zeros.length())));
    }
    return new Expression.Choice(all);
  }

  private static Expression digit(char first, char last) {
    return new Expression.OneOf(CodePoints.range(first, last));
  }
}
