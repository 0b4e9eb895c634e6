package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.Filters.Filter;
import dev.sortie.nn.text.jinja.TemplateValue.SafeString;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.List;
import java.util.Map;

/** Filters that make texts. */
final class TextFilters {
  static final Map<String, Filter> ALL =
      Map.ofEntries(
          Map.entry("string", (context, v, a) -> string(context, v, a)),
          Map.entry("safe", TextFilters::safe),
          Map.entry("trim", TextFilters::trim),
          Map.entry("upper", (context, v, a) -> changed(context, v, a, PythonCase::upper)),
          Map.entry("lower", (context, v, a) -> changed(context, v, a, PythonCase::lower)),
          Map.entry(
              "capitalize", (context, v, a) -> changed(context, v, a, PythonCase::capitalize)),
          Map.entry("title", (context, v, a) -> changed(context, v, a, PythonCase::titleFilter)),
          Map.entry("replace", TextFilters::replace),
          Map.entry("indent", TextFilters::indent),
          Map.entry("join", TextFilters::join),
          Map.entry("tojson", TextFilters::tojson));

  private TextFilters() {}

  /** A string stays as it is, marked safe or not; anything else becomes its text. */
  private static Object string(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    return Values.text(value) != null
        ? value
        : context.budget().made(PythonText.of(value, context.budget()));
  }

  private static Object safe(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    return new SafeString(context.budget().made(PythonText.of(value, context.budget())));
  }

  private interface Change {
    String apply(String text);
  }

  private static Object changed(
      RenderContext context, Object value, BoundArguments arguments, Change change) {
    arguments.end();
    String result = context.budget().made(change.apply(PythonText.of(value, context.budget())));
    return like(value, result);
  }

  private static Object like(Object value, String result) {
    return value instanceof SafeString ? new SafeString(result) : result;
  }

  private static Object trim(RenderContext context, Object value, BoundArguments arguments) {
    String text = PythonText.of(value, context.budget());
    return like(value, StringMethods.strip(text, true, true, context, arguments));
  }

  private static Object replace(RenderContext context, Object value, BoundArguments arguments) {
    String old = PythonText.of(arguments.required("old"), context.budget());
    String by = PythonText.of(arguments.required("new"), context.budget());
    Object count = arguments.optional("count", null);
    arguments.end();
    if (count != null && !(count instanceof Long)) {
      throw arguments.wrong("count", count, "an integer");
    }
    int most = count == null ? -1 : Math.clamp((Long) count, -1, Integer.MAX_VALUE);
    return Splitting.replace(
        PythonText.of(value, context.budget()), old, by, most, context.budget());
  }

  private static Object indent(RenderContext context, Object value, BoundArguments arguments) {
    Object width = arguments.optional("width", 4L);
    boolean first = arguments.truth("first", false);
    boolean blank = arguments.truth("blank", false);
    arguments.end();
    String text = Values.text(value);
    if (text == null) {
      throw value instanceof Undefined u
          ? u.failure()
          : new ValueException("the filter 'indent' takes a string, not " + Values.typeName(value));
    }
    String by = indentation(width, arguments, context.budget());
    StringBuilder out = new StringBuilder(first ? by : "");
    List<Object> lines =
        Splitting.lines(text + "\n", context.budget(), BoundArguments.none("splitlines"));
    for (int i = 0; i < lines.size(); i++) {
      String line = (String) lines.get(i);
      boolean indented = i > 0 && (blank || !line.isEmpty());
      context.budget().text(by.length());
      out.append(i > 0 ? "\n" : "").append(indented ? by : "").append(line);
    }
    return like(value, context.budget().made(out.toString()));
  }

  /** White space, or a text. */
  private static String indentation(Object width, BoundArguments arguments, Budget budget) {
    String text = Values.text(width);
    if (text != null) {
      return text;
    }
    if (!(width instanceof Long n)) {
      throw arguments.wrong("width", width, "an integer or a string");
    }
    long spaces = Math.max(0, n);
    budget.text(spaces);
    return " ".repeat((int) spaces);
  }

  private static Object join(RenderContext context, Object value, BoundArguments arguments) {
    String separator = PythonText.of(arguments.optional("d", ""), context.budget());
    Object attribute = arguments.optional("attribute", null);
    arguments.end();
    List<Object> items = Values.items(value, context.budget());
    if (attribute != null) {
      AttributePath path = AttributePath.of(attribute, context);
      context.budget().items(items.size());
      items = items.stream().map(item -> path.get(item, context)).toList();
    }
    return Splitting.join(separator, items, context.budget());
  }

  private static Object tojson(RenderContext context, Object value, BoundArguments arguments) {
    boolean ascii = arguments.truth("ensure_ascii", false);
    Object indent = arguments.optional("indent", null);
    Object separators = arguments.optional("separators", null);
    boolean sorted = arguments.truth("sort_keys", false);
    arguments.end();
    String by = indent == null ? null : indentation(indent, arguments, context.budget());
    String comma = by == null ? ", " : ",";
    String colon = ": ";
    if (separators != null) {
      List<Object> two = Values.items(separators, context.budget());
      if (two.size() != 2
          || Values.text(two.getFirst()) == null
          || Values.text(two.getLast()) == null) {
        throw arguments.wrong("separators", separators, "two strings");
      }
      comma = Values.text(two.getFirst());
      colon = Values.text(two.getLast());
    }
    PythonJson json = new PythonJson(ascii, by, comma, colon, sorted);
    return context.budget().made(json.of(value, context.budget()));
  }
}
