package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.CodePoints;
import dev.sortie.eetuning.decode.grammar.Expression;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/**
 * The numbers that a schema allows. Within bounds a number has no exponent; of those that are no
 * whole numbers, the ones between whole numbers within the bounds.
 */
final class NumberSchema {
  /** So many a double holds in any case. */
  private static final int DIGITS = 15;

  /** Of as many digits. */
  private static final BigDecimal LARGEST = new BigDecimal(999_999_999_999_999L);

  private static final List<String> BOUNDS =
      List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");

  private static final Expression POINT = new Expression.Text(".");
  private static final Expression DIGIT = digits('0', '9');

  private NumberSchema() {}

  /**
   * A bound.
   *
   * @param value of it
   * @param open whether the value itself lies outside
   */
  private record Bound(BigDecimal value, boolean open) {
    Bound negated() {
      return new Bound(value.negate(), open);
    }

    /** Whether this leaves less above it. */
    boolean isTighterFloor(Bound other) {
      int order = value.compareTo(other.value);
      return order > 0 || order == 0 && open;
    }
  }

  static Expression expression(Place place, JsonType type) {
    Bound floor = floor(place, "minimum", "exclusiveMinimum", 1);
    Bound ceiling = floor(place, "maximum", "exclusiveMaximum", -1).negated();
    if (BOUNDS.stream().noneMatch(word -> place.object().has(word))) {
      return new Expression.Call(type.word());
    }
    boolean whole = type == JsonType.INTEGER;
    List<Expression> alternatives = new ArrayList<>(positive(floor, ceiling, whole));
    for (Expression e : positive(ceiling.negated(), floor.negated(), whole)) {
      alternatives.add(Expression.sequence(new Expression.Text("-"), e));
    }
    if (alternatives.isEmpty()) {
      throw place.error("has no whole number within its bounds; widen them");
    }
    return new Expression.Choice(alternatives);
  }

  /** The tightest bound from below, of numbers times {@code sign}. */
  private static Bound floor(Place place, String closed, String open, int sign) {
    Bound floor = new Bound(LARGEST.negate(), false);
    for (String word : List.of(closed, open)) {
      switch (place.object().fields().get(word)) {
        case null -> {}
        case Number n -> {
          BigDecimal value = new BigDecimal(n.toString()).multiply(BigDecimal.valueOf(sign));
          Bound given = new Bound(value, word.equals(open));
          floor = given.isTighterFloor(floor) ? given : floor;
        }
        default -> throw place.wrong(word, "a number");
      }
    }
    return floor;
  }

  /** The numbers from 0 on within bounds. */
  private static List<Expression> positive(Bound floor, Bound ceiling, boolean whole) {
    List<Expression> all = new ArrayList<>();
    BigDecimal first = floor.value().max(BigDecimal.ZERO).setScale(0, RoundingMode.CEILING);
    boolean firstIsOut = floor.open() && floor.value().compareTo(first) == 0;
    BigDecimal last = ceiling.value().min(LARGEST).setScale(0, RoundingMode.FLOOR);
    boolean lastIsOut = ceiling.open() && ceiling.value().compareTo(last) == 0;
    if (first.compareTo(last) > 0) {
      return all;
    }
    BigDecimal from = firstIsOut ? first.add(BigDecimal.ONE) : first;
    BigDecimal to = lastIsOut ? last.subtract(BigDecimal.ONE) : last;
    if (whole) {
      if (from.compareTo(to) <= 0) {
        all.add(WholeNumbers.between(from.longValueExact(), to.longValueExact()));
      }
      return all;
    }
    if (firstIsOut && first.compareTo(last) < 0 && room(first) > 0) {
      all.add(
          Expression.sequence(
              new Expression.Text(first.toPlainString()),
              POINT,
              new Expression.Repeat(DIGIT, 0, room(first) - 1),
              digits('1', '9')));
    }
    BigDecimal below = last.subtract(BigDecimal.ONE); // up to which any fraction fits
    if (lastIsOut && from.compareTo(below) <= 0) {
      all.add(
          Expression.sequence(new Expression.Text(below.toPlainString()), fraction(room(below))));
      below = below.subtract(BigDecimal.ONE);
    }
    if (from.compareTo(below) <= 0) {
      all.add(
          Expression.sequence(
              WholeNumbers.between(from.longValueExact(), below.longValueExact()),
              Expression.optional(new Expression.Call("fraction"))));
    }
    if (!lastIsOut && from.compareTo(last) <= 0) {
      all.add(
          Expression.sequence(
              new Expression.Text(last.toPlainString()),
              Expression.optional(
                  Expression.sequence(
                      POINT, new Expression.Repeat(new Expression.Text("0"), 1, 15)))));
    }
    return all;
  }

  /**
   * How many digits may follow a whole number next to an open bound: with more than 15 in all, a
   * double may be the bound itself.
   */
  private static int room(BigDecimal whole) {
    return DIGITS - (whole.signum() == 0 ? 0 : whole.precision());
  }

  private static Expression fraction(int digits) {
    return digits == 0
        ? Expression.EMPTY
        : Expression.optional(Expression.sequence(POINT, new Expression.Repeat(DIGIT, 1, digits)));
  }

  private static Expression digits(char first, char last) {
    return new Expression.OneOf(CodePoints.range(first, last));
  }
}
