package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateSource.Place;
import java.util.List;

/** An expression. */
sealed interface Expr {
  Place place();

  /** A constant; {@code value} null is none. */
  record Literal(Place place, Object value) implements Expr {}

  record Name(Place place, String name) implements Expr {}

  record ListOf(Place place, List<Expr> items) implements Expr {}

  record TupleOf(Place place, List<Expr> items) implements Expr {}

  record DictOf(Place place, List<Entry> entries) implements Expr {}

  record Entry(Expr key, Expr value) {}

  /** {@code of.name}. */
  record Attribute(Place place, Expr of, String name) implements Expr {}

  /** {@code of[index]}. */
  record Subscript(Place place, Expr of, Expr index) implements Expr {}

  /** {@code of[start:stop:step]}; an absent part is null. */
  record Slice(Place place, Expr of, Expr start, Expr stop, Expr step) implements Expr {}

  record Call(Place place, Expr of, CallArguments arguments) implements Expr {}

  /** {@code of|name(arguments)}; {@code of} is null for the filters of a set block. */
  record Filtered(Place place, Expr of, String name, CallArguments arguments) implements Expr {}

  /** {@code of is name(arguments)}. */
  record Tested(Place place, Expr of, String name, CallArguments arguments) implements Expr {}

  record Not(Place place, Expr of) implements Expr {}

  /** {@code -of} or {@code +of}. */
  record Signed(Place place, boolean negative, Expr of) implements Expr {}

  /** Arithmetic: one of {@code + - * / // % **}. */
  record Binary(Place place, String operator, Expr left, Expr right) implements Expr {}

  /** {@code a ~ b ~ …}. */
  record Concat(Place place, List<Expr> parts) implements Expr {}

  /** {@code first op operand op operand …}, as Python chains comparisons. */
  record Compare(Place place, Expr first, List<Comparison> rest) implements Expr {}

  record Comparison(String operator, Expr operand) {}

  /** {@code a and b and …}, or the same with {@code or}. */
  record Logic(Place place, boolean isAnd, List<Expr> parts) implements Expr {}

  /** {@code then if test else otherwise}; {@code otherwise} may be null. */
  record Conditional(Place place, Expr test, Expr then, Expr otherwise) implements Expr {}

  /** What stands between the parentheses of a call. */
  record CallArguments(List<Expr> positional, List<Named> named) {
    static final CallArguments NONE = new CallArguments(List.of(), List.of());
  }

  record Named(String name, Expr value) {}
}
