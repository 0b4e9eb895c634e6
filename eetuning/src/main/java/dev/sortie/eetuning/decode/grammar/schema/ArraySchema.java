package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.Expression;
import java.util.ArrayList;
import java.util.List;

/** The lists that a schema allows. */
final class ArraySchema {
  private static final Expression SPACE = new Expression.Call("space");

  private final JsonSchema schemas;
  private final Place place;

  ArraySchema(JsonSchema schemas, Place place) {
    this.schemas = schemas;
    this.place = place;
  }

  Expression expression() {
    List<Expression> first = new ArrayList<>();
    if (place.object().contains("prefixItems")) {
      place.items("prefixItems").forEach(item -> first.add(schemas.document(item)));
    }
    boolean more = !Boolean.FALSE.equals(place.object().fields().get("items"));
    int least = place.count("minItems", 0);
    int most = place.count("maxItems", Expression.UNBOUNDED);
    most = more ? most : Math.min(most, first.size());
    if (most < least) {
      throw place.error("minItems", "is %d, and there are at most %d".formatted(least, most));
    }
    if (most == 0) {
      return new Expression.Text("[]");
    }
    Expression comma = Expression.sequence(new Expression.Text(","), SPACE);
    int listed = Math.min(first.size(), most);
    Expression rest = Expression.EMPTY;
    if (most > listed) {
      Expression item = other();
      Expression another = Expression.sequence(comma, item);
      int begun = Math.max(listed, 1);
      rest =
          new Expression.Repeat(
              another,
              Math.max(0, least - begun),
              most == Expression.UNBOUNDED ? most : most - begun);
      if (listed == 0) {
        first.add(item);
      }
    }
    rest = Expression.sequence(rest, SPACE);
    for (int i = Math.max(listed, 1) - 1; i > 0; i--) {
      Expression another = Expression.sequence(comma, first.get(i), schemas.rule(place, rest));
      rest = i < least ? another : Expression.choice(another, SPACE);
    }
    Expression content = Expression.sequence(first.getFirst(), rest);
    return Expression.sequence(
        new Expression.Text("["),
        SPACE,
        least > 0 ? content : Expression.optional(content),
        new Expression.Text("]"));
  }

  private Expression other() {
    return place.object().contains("items")
        ? schemas.document(place.at("items"))
        : new Expression.Call("value");
  }
}
