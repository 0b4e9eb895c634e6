package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Search;
import dev.sortie.nn.text.jinja.Function.Method;
import dev.sortie.nn.text.jinja.TemplateValue.SafeString;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import java.util.List;
import java.util.Set;

/** Methods of strings. */
final class StringMethods {
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "casefold",
          "center",
          "encode",
          "expandtabs",
          "format_map",
          "index",
          "isalnum",
          "isalpha",
          "isascii",
          "isdecimal",
          "isidentifier",
          "islower",
          "isnumeric",
          "isprintable",
          "istitle",
          "isupper",
          "ljust",
          "maketrans",
          "partition",
          "rfind",
          "rindex",
          "rjust",
          "rpartition",
          "swapcase",
          "translate",
          "zfill");

  private StringMethods() {}

  /**
   * The method, or {@link Access#ABSENT}.
   *
   * @param of the string itself, maybe marked safe
   * @param text its text
   */
  static Object find(Object of, String text, String name) {
    if (UNSUPPORTED.contains(name)) {
      throw new ValueException("the method '" + name + "' of a string is not supported");
    }
    Method.Body body = body(text, name);
    if (body == null) {
      return Access.ABSENT;
    }
    if (!(of instanceof SafeString)) {
      return new Method(name, body);
    }
    return new Method(name, (context, arguments) -> safe(body, context, arguments));
  }

  /** Methods of a text marked safe escape their arguments, and most results are marked safe. */
  private static Object safe(Method.Body body, RenderContext context, BoundArguments arguments) {
    List<Object> positional = arguments.rest();
    for (Object value : positional) {
      if (value instanceof String s) {
        SafeString.refuseEscaped(s);
      }
    }
    BoundArguments checked =
        new BoundArguments(arguments.callee(), positional, arguments.restNamed());
    Object result = body.call(context, checked);
    return result instanceof String s ? new SafeString(s) : result;
  }

  private static Method.Body body(String text, String name) {
    return switch (name) {
      case "strip" -> (context, a) -> strip(text, true, true, context, a);
      case "lstrip" -> (context, a) -> strip(text, true, false, context, a);
      case "rstrip" -> (context, a) -> strip(text, false, true, context, a);
      case "split" -> (context, a) -> Splitting.split(text, false, context.budget(), a);
      case "rsplit" -> (context, a) -> Splitting.split(text, true, context.budget(), a);
      case "splitlines" -> (context, a) -> Splitting.lines(text, context.budget(), a);
      case "startswith" -> (context, a) -> affix(text, true, context, a);
      case "endswith" -> (context, a) -> affix(text, false, context, a);
      case "removeprefix", "removesuffix" -> (context, a) -> remove(text, name, context, a);
      case "replace" -> (context, a) -> replace(text, context, a);
      case "upper" -> (context, a) -> made(PythonCase.upper(text), context, a);
      case "lower" -> (context, a) -> made(PythonCase.lower(text), context, a);
      case "title" -> (context, a) -> made(PythonCase.title(text), context, a);
      case "capitalize" -> (context, a) -> made(PythonCase.capitalize(text), context, a);
      case "find" -> (context, a) -> find(text, context, a);
      case "count" -> (context, a) -> count(text, context, a);
      case "join" -> (context, a) -> join(text, context, a);
      case "isdigit" -> (context, a) -> all(text, Character::isDigit, context, a);
      case "isspace" ->
          (context, a) -> all(text, c -> c <= 0xFFFF && PythonSpace.isSpace((char) c), context, a);
      case "format" -> (context, a) -> Formatting.format(text, context.budget(), a);
      default -> null;
    };
  }

  private static String made(String result, RenderContext context, BoundArguments arguments) {
    arguments.end();
    return context.budget().made(result);
  }

  static String strip(
      String text, boolean start, boolean end, RenderContext context, BoundArguments arguments) {
    String set = arguments.string("chars", null);
    arguments.end();
    context.budget().text(text.length());
    int from = 0;
    int to = text.length();
    while (start && from < to && isIn(set, text.codePointAt(from), context)) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (end && from < to && isIn(set, text.codePointBefore(to), context)) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(from, to);
  }

  private static boolean isIn(String set, int c, RenderContext context) {
    if (set == null) {
      return c <= 0xFFFF && PythonSpace.isSpace((char) c);
    }
    context.budget().look(set.length());
    return set.indexOf(c) >= 0;
  }

  private static Object affix(
      String text, boolean start, RenderContext context, BoundArguments arguments) {
    Object wanted = arguments.required(start ? "prefix" : "suffix");
    arguments.end();
    List<Object> any = wanted instanceof Tuple t ? t.items() : List.of(nonNull(wanted, arguments));
    for (Object one : any) {
      String affix = Values.text(one);
      if (affix == null) {
        throw arguments.wrong(start ? "prefix" : "suffix", one, "a string");
      }
      context.budget().look(affix.length());
      if (start ? text.startsWith(affix) : text.endsWith(affix)) {
        return true;
      }
    }
    return false;
  }

  private static Object nonNull(Object wanted, BoundArguments arguments) {
    if (wanted == null) {
      throw arguments.wrong("prefix", null, "a string");
    }
    return wanted;
  }

  private static Object remove(
      String text, String name, RenderContext context, BoundArguments arguments) {
    String affix = arguments.string(name.substring("remove".length()));
    arguments.end();
    context.budget().text(text.length());
    if (name.equals("removeprefix")) {
      return text.startsWith(affix) ? text.substring(affix.length()) : text;
    }
    return text.endsWith(affix) ? text.substring(0, text.length() - affix.length()) : text;
  }

  private static Object replace(String text, RenderContext context, BoundArguments arguments) {
    String old = arguments.string("old");
    String by = arguments.string("new");
    int count = arguments.integer("count", -1);
    arguments.end();
    return Splitting.replace(text, old, by, count, context.budget());
  }

  private static Object find(String text, RenderContext context, BoundArguments arguments) {
    String part = arguments.string("sub");
    arguments.end();
    int at = Search.indexOf(text, part, 0, context.budget());
    return at < 0 ? -1L : (long) text.codePointCount(0, at);
  }

  private static Object count(String text, RenderContext context, BoundArguments arguments) {
    String part = arguments.string("sub");
    arguments.end();
    if (part.isEmpty()) {
      context.budget().look(text.length());
      return Values.length(text) + 1L;
    }
    long count = 0;
    int at = Search.indexOf(text, part, 0, context.budget());
    while (at >= 0) {
      count++;
      at = Search.indexOf(text, part, at + part.length(), context.budget());
    }
    return count;
  }

  private static Object join(String text, RenderContext context, BoundArguments arguments) {
    List<Object> items = Values.items(arguments.required("iterable"), context.budget());
    arguments.end();
    for (Object item : items) {
      if (Values.text(item) == null) {
        throw arguments.wrong("iterable", item, "strings only");
      }
    }
    return Splitting.join(text, items, context.budget());
  }

  private static Object all(
      String text, java.util.function.IntPredicate test, RenderContext context, BoundArguments a) {
    a.end();
    context.budget().look(text.length());
    return !text.isEmpty() && text.codePoints().allMatch(test);
  }
}
