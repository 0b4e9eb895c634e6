package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.Expression;
import dev.sortie.nn.json.JsonObject;
import java.util.List;

/** The strings that a schema allows. */
final class StringSchema {
  private static final List<String> FORMATS = List.of("date", "time", "date-time", "uuid", "ipv4");
  private static final Expression QUOTE = new Expression.Text("\"");

  private StringSchema() {}

  static Expression expression(Place place) {
    JsonObject o = place.object();
    int least = place.count("minLength", 0);
    int most = place.count("maxLength", Expression.UNBOUNDED);
    if (most < least) {
      throw place.error("minLength", "is %d, and maxLength is %d".formatted(least, most));
    }
    if (!o.contains("format")) {
      return Expression.sequence(
          QUOTE, new Expression.Repeat(new Expression.Call("character"), least, most), QUOTE);
    }
    if (!(o.fields().get("format") instanceof String format) || !FORMATS.contains(format)) {
      throw place.wrong("format", "one of " + String.join(", ", FORMATS));
    }
    if (least > 0 || most < Expression.UNBOUNDED) {
      throw place.error("format", "is not supported together with minLength and maxLength");
    }
    return Expression.sequence(QUOTE, new Expression.Call(format), QUOTE);
  }
}
