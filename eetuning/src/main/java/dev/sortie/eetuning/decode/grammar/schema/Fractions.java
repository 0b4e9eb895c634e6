package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.CodePoints;
import dev.sortie.eetuning.decode.grammar.Expression;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Digits after a decimal point within bounds, digit by digit. Bounds are digits too, without zeros
 * at the end; none is 0.
 *
 * @param least the lower bound
 * @param leastIsOut whether it is no fraction itself
 * @param most the upper bound; null where there is none
 * @param mostIsOut whether it is no fraction itself
 */
record Fractions(String least, boolean leastIsOut, String most, boolean mostIsOut) {
  private static final Expression DIGIT = digits('0', '9');

  /**
   * How digits may go on.
   *
   * @param more those that follow, at least one; empty if none may
   * @param mayEnd whether none may follow
   */
  private record Rest(Optional<Expression> more, boolean mayEnd) {
    static final Rest NONE = new Rest(Optional.empty(), false);

    static Rest repeated(Expression digit, int most) {
      return new Rest(
          most == 0 ? Optional.empty() : Optional.of(new Expression.Repeat(digit, 1, most)), true);
    }
  }

  /** A whole number with such a fraction, and without where 0 is one; empty if there is none. */
  Optional<Expression> after(Number whole, int room) {
    Rest rest = rest("", true, most != null, room);
    Expression number = new Expression.Text(whole.toString());
    Expression point = new Expression.Text(".");
    Optional<Expression> longer = rest.more().map(d -> Expression.sequence(number, point, d));
    if (!rest.mayEnd()) {
      return longer;
    }
    return Optional.of(longer.map(l -> Expression.choice(number, l)).orElse(number));
  }

  /**
   * What may follow some digits.
   *
   * @param low whether they are those of the lower bound so far
   * @param high whether they are those of the upper bound so far
   * @param room how many may follow at most
   */
  private Rest rest(String written, boolean low, boolean high, int room) {
    int at = written.length();
    boolean lowEnds = at >= least.length();
    boolean highEnds = high && at >= most.length();
    if (highEnds) { // what follows can only be zeros
      boolean out = mostIsOut || low && (!lowEnds || leastIsOut);
      return out ? Rest.NONE : Rest.repeated(digits('0', '0'), room);
    }
    if (!high && low && lowEnds) {
      return leastIsOut ? positive(room) : Rest.repeated(DIGIT, room);
    }
    if (!high && !low) {
      return Rest.repeated(DIGIT, room);
    }
    boolean mayEnd = !low || lowEnds && !leastIsOut;
    if (room == 0) {
      return new Rest(Optional.empty(), mayEnd);
    }
    char first = low && !lowEnds ? least.charAt(at) : '0';
    char last = high ? most.charAt(at) : '9';
    List<Expression> next = new ArrayList<>();
    char from = first;
    char to = last;
    if (low) { // the digit of the lower bound keeps to it
      follow(next, written, first, true, high && first == last, room);
      from++;
    }
    if (high && (!low || first < last)) {
      follow(next, written, last, false, true, room);
      to--;
    }
    if (from <= to) {
      next.add(Expression.sequence(digits(from, to), new Expression.Repeat(DIGIT, 0, room - 1)));
    }
    return new Rest(
        next.isEmpty() ? Optional.empty() : Optional.of(new Expression.Choice(next)), mayEnd);
  }

  /** Adds a digit and all that may follow it. */
  private void follow(
      List<Expression> next, String written, char digit, boolean low, boolean high, int room) {
    Rest rest = rest(written + digit, low, high, room - 1);
    Expression one = digits(digit, digit);
    if (rest.mayEnd()) {
      next.add(rest.more().map(d -> Expression.sequence(one, Expression.optional(d))).orElse(one));
    } else {
      rest.more().ifPresent(d -> next.add(Expression.sequence(one, d)));
    }
  }

  /** Digits that are not all 0; the last one is not, either. */
  private static Rest positive(int room) {
    return room == 0
        ? Rest.NONE
        : new Rest(
            Optional.of(
                Expression.sequence(new Expression.Repeat(DIGIT, 0, room - 1), digits('1', '9'))),
            false);
  }

  private static Expression digits(char first, char last) {
    return new Expression.OneOf(CodePoints.range(first, last));
  }
}
