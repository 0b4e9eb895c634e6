package dev.sortie.eetuning.decode.grammar;

import java.util.List;

/** A part of a grammar: the texts that it stands for. */
public sealed interface Expression {
  /** The empty text. */
  Expression EMPTY = new Sequence(List.of());

  /** As often as it likes, for {@link Repeat}. */
  int UNBOUNDED = Integer.MAX_VALUE;

  /** This text. */
  record Text(String text) implements Expression {}

  /** One character of a set. */
  record OneOf(CodePoints set) implements Expression {}

  /** One after the other; none is the empty text. */
  record Sequence(List<Expression> parts) implements Expression {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** One of these; of none there is no text. */
  record Choice(List<Expression> alternatives) implements Expression {
    public Choice {
      alternatives = List.copyOf(alternatives);
    }
  }

  /**
   * One text of {@code repeated} after the other.
   *
   * @param least how many at least, 0 or more
   * @param most how many at most, {@link #UNBOUNDED} for any number
   */
  record Repeat(Expression repeated, int least, int most) implements Expression {
    public Repeat {
      if (least < 0 || most < least) {
        throw new IllegalArgumentException(least + " to " + most + " times");
      }
    }
  }

  /** A text of the rule with this name. */
  record Call(String rule) implements Expression {}

  /** One after the other. */
  static Expression sequence(Expression... parts) {
    return new Sequence(List.of(parts));
  }

  /** One of these. */
  static Expression choice(Expression... alternatives) {
    return new Choice(List.of(alternatives));
  }

  /** This or nothing. */
  static Expression optional(Expression inner) {
    return new Repeat(inner, 0, 1);
  }
}
