package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.Expression;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/**
 * The numbers that a schema allows. Within bounds a number has no exponent, and next to them no
 * more digits than a double holds.
 */
final class NumberSchema {
  /** So many a double holds in any case. */
  private static final int DIGITS = 15;

  /** Of as many digits. */
  private static final BigDecimal LARGEST = new BigDecimal(999_999_999_999_999L);

  private static final List<String> BOUNDS =
      List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");

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

    BigDecimal whole() {
      return value.setScale(0, RoundingMode.FLOOR);
    }

    boolean isWhole() {
      return fraction().isEmpty();
    }

    /** The digits after the point, without zeros at the end. */
    String fraction() {
      BigDecimal rest = value.subtract(whole());
      return rest.signum() == 0
          ? ""
          : rest.stripTrailingZeros().toPlainString().substring("0.".length());
    }

    /** The next number that has so few digits that a double holds it; a bound with fewer itself. */
    Bound shortened(RoundingMode direction) {
      BigDecimal nearest = value.setScale(Math.min(value.scale(), room(whole())), direction);
      return nearest.compareTo(value) == 0 ? this : new Bound(nearest, false);
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
      throw place.error(
          "has no %s within its bounds; widen them"
              .formatted(whole ? "whole number" : "number of up to " + DIGITS + " digits"));
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
    Bound low = floor.value().signum() < 0 ? new Bound(BigDecimal.ZERO, false) : floor;
    Bound high = ceiling.value().compareTo(LARGEST) > 0 ? new Bound(LARGEST, false) : ceiling;
    if (low.value().compareTo(high.value()) > 0) {
      return List.of();
    }
    return whole ? whole(low, high) : fractional(low, high);
  }

  private static List<Expression> whole(Bound low, Bound high) {
    BigDecimal first = low.value().setScale(0, RoundingMode.CEILING);
    BigDecimal last = high.value().setScale(0, RoundingMode.FLOOR);
    boolean firstIsOut = low.open() && low.value().compareTo(first) == 0;
    boolean lastIsOut = high.open() && high.value().compareTo(last) == 0;
    return between(
        firstIsOut ? first.add(BigDecimal.ONE) : first,
        lastIsOut ? last.subtract(BigDecimal.ONE) : last);
  }

  private static List<Expression> between(BigDecimal from, BigDecimal to) {
    return from.compareTo(to) > 0
        ? List.of()
        : List.of(WholeNumbers.between(from.longValueExact(), to.longValueExact()));
  }

  /**
   * Those with the whole part of a bound, whose fractions it limits, and those between, whose
   * fractions are free.
   */
  private static List<Expression> fractional(Bound low, Bound high) {
    Bound least = low.shortened(RoundingMode.CEILING);
    Bound most = high.shortened(RoundingMode.FLOOR);
    int order = least.value().compareTo(most.value());
    if (order > 0 || order == 0 && (least.open() || most.open())) {
      return List.of();
    }
    BigDecimal first = least.whole();
    BigDecimal last = most.whole();
    boolean below = most.open() && most.isWhole(); // the last whole number is out of reach
    BigDecimal top = below ? last.subtract(BigDecimal.ONE) : last;
    List<Expression> all = new ArrayList<>();
    if (first.equals(top)) {
      Fractions within =
          new Fractions(
              least.fraction(), least.open(), below ? null : most.fraction(), most.open());
      within.after(first, room(first)).ifPresent(all::add);
      return all;
    }
    BigDecimal free = first;
    if (least.open() || !least.isWhole()) {
      new Fractions(least.fraction(), least.open(), null, false)
          .after(first, room(first))
          .ifPresent(all::add);
      free = first.add(BigDecimal.ONE);
    }
    for (Expression e : between(free, top.subtract(BigDecimal.ONE))) {
      all.add(Expression.sequence(e, Expression.optional(new Expression.Call("fraction"))));
    }
    new Fractions("", false, below ? null : most.fraction(), most.open())
        .after(top, room(top))
        .ifPresent(all::add);
    return all;
  }

  /**
   * How many digits may follow a whole number next to a bound: with more than 15 in all, a double
   * may be the bound itself.
   */
  private static int room(BigDecimal whole) {
    return DIGITS - (whole.signum() == 0 ? 0 : whole.precision());
  }
}
