package dev.sortie.nn.text.jinja;

import java.util.List;

/** A statement, or text between statements. */
sealed interface Node {
  Place place();

  record Data(Place place, String text) implements Node {}

  /** <code>{{ value }}</code>. */
  record Output(Place place, Expr value) implements Node {}

  /** The first branch whose test holds; the last may have none (null). */
  record If(Place place, List<Branch> branches) implements Node {}

  record Branch(Expr test, List<Node> body) {}

  /** {@code filter} may be null. */
  record For(
      Place place, Target target, Expr items, Expr filter, List<Node> body, List<Node> otherwise)
      implements Node {}

  record Set(Place place, Target target, Expr value) implements Node {}

  /** What the body renders, passed through filters. */
  record SetBlock(Place place, Target target, List<Expr.Filtered> filters, List<Node> body)
      implements Node {}

  /** What the body renders, passed through filters and printed. */
  record FilterBlock(Place place, List<Expr.Filtered> filters, List<Node> body) implements Node {}

  record Macro(Place place, String name, List<Parameter> parameters, List<Node> body)
      implements Node {}

  /** {@code fallback} is null where there is none. */
  record Parameter(String name, Expr fallback) {}

  /** A generation block: its body, in a scope of its own. */
  record Scoped(Place place, List<Node> body) implements Node {}

  record Break(Place place) implements Node {}

  record Continue(Place place) implements Node {}

  /** What a value is bound to. */
  sealed interface Target {
    Place place();
  }

  record NameTarget(Place place, String name) implements Target {}

  /** An attribute of a namespace. */
  record AttributeTarget(Place place, String namespace, String name) implements Target {}

  record TupleTarget(Place place, List<Target> parts) implements Target {}
}
