package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateSource.Place;
import java.util.List;

/** A statement, or text between statements. */
sealed interface Statement {
  Place place();

  record Data(Place place, String text) implements Statement {}

  /** <code>{{ value }}</code>. */
  record Output(Place place, Expr value) implements Statement {}

  /** The first branch whose test holds; the last may have none (null). */
  record If(Place place, List<Branch> branches) implements Statement {}

  record Branch(Expr test, List<Statement> body) {}

  /** {@code filter} may be null. */
  record For(
      Place place,
      Target target,
      Expr items,
      Expr filter,
      List<Statement> body,
      List<Statement> otherwise)
      implements Statement {}

  record Set(Place place, Target target, Expr value) implements Statement {}

  /** What the body renders, passed through filters. */
  record SetBlock(Place place, Target target, List<Expr.Filtered> filters, List<Statement> body)
      implements Statement {}

  /** What the body renders, passed through filters and printed. */
  record FilterBlock(Place place, List<Expr.Filtered> filters, List<Statement> body)
      implements Statement {}

  record Macro(Place place, String name, List<Parameter> parameters, List<Statement> body)
      implements Statement {}

  /** {@code fallback} is null where there is none. */
  record Parameter(String name, Expr fallback) {}

  /** A generation block: its body, in a scope of its own. */
  record Scoped(Place place, List<Statement> body) implements Statement {}

  record Break(Place place) implements Statement {}

  record Continue(Place place) implements Statement {}

  /** What a value is bound to. */
  sealed interface Target {
    Place place();
  }

  record NameTarget(Place place, String name) implements Target {}

  /** An attribute of a namespace. */
  record AttributeTarget(Place place, String namespace, String name) implements Target {}

  record TupleTarget(Place place, List<Target> parts) implements Target {}
}
