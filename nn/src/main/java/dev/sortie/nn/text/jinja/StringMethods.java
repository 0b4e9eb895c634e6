package dev.sortie.nn.text.jinja;

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
    return new Method(name, (run, arguments) -> safe(body, run, arguments));
  }

  /** Methods of a text marked safe escape their arguments, and most results are marked safe. */
  private static Object safe(Method.Body body, Run run, Arguments arguments) {
    List<Object> positional = arguments.rest();
    for (Object value : positional) {
      if (value instanceof String s) {
        SafeString.refuseEscaped(s);
      }
    }
    Arguments checked = new Arguments(arguments.callee(), positional, arguments.restNamed());
    Object result = body.call(run, checked);
    return result instanceof String s ? new SafeString(s) : result;
  }

  private static Method.Body body(String text, String name) {
    return switch (name) {
      case "strip" -> (run, a) -> strip(text, true, true, run, a);
      case "lstrip" -> (run, a) -> strip(text, true, false, run, a);
      case "rstrip" -> (run, a) -> strip(text, false, true, run, a);
      case "split" -> (run, a) -> Splitting.split(text, false, run.budget(), a);
      case "rsplit" -> (run, a) -> Splitting.split(text, true, run.budget(), a);
      case "splitlines" -> (run, a) -> Splitting.lines(text, run.budget(), a);
      case "startswith" -> (run, a) -> affix(text, true, run, a);
      case "endswith" -> (run, a) -> affix(text, false, run, a);
      case "removeprefix", "removesuffix" -> (run, a) -> remove(text, name, run, a);
      case "replace" -> (run, a) -> replace(text, run, a);
      case "upper" -> (run, a) -> made(Cases.upper(text), run, a);
      case "lower" -> (run, a) -> made(Cases.lower(text), run, a);
      case "title" -> (run, a) -> made(Cases.title(text), run, a);
      case "capitalize" -> (run, a) -> made(Cases.capitalize(text), run, a);
      case "find" -> (run, a) -> find(text, run, a);
      case "count" -> (run, a) -> count(text, run, a);
      case "join" -> (run, a) -> join(text, run, a);
      case "isdigit" -> (run, a) -> all(text, Character::isDigit, run, a);
      case "isspace" -> (run, a) -> all(text, c -> c <= 0xFFFF && Spaces.isSpace((char) c), run, a);
      case "format" -> (run, a) -> Formatting.format(text, run.budget(), a);
      default -> null;
    };
  }

  private static String made(String result, Run run, Arguments arguments) {
    arguments.end();
    return run.budget().made(result);
  }

  static String strip(String text, boolean start, boolean end, Run run, Arguments arguments) {
    String set = arguments.string("chars", null);
    arguments.end();
    run.budget().text(text.length());
    int from = 0;
    int to = text.length();
    while (start && from < to && isIn(set, text.codePointAt(from), run)) {
      from += Character.charCount(text.codePointAt(from));
    }
    while (end && from < to && isIn(set, text.codePointBefore(to), run)) {
      to -= Character.charCount(text.codePointBefore(to));
    }
    return text.substring(from, to);
  }

  private static boolean isIn(String set, int c, Run run) {
    if (set == null) {
      return c <= 0xFFFF && Spaces.isSpace((char) c);
    }
    run.budget().look(set.length());
    return set.indexOf(c) >= 0;
  }

  private static Object affix(String text, boolean start, Run run, Arguments arguments) {
    Object wanted = arguments.required(start ? "prefix" : "suffix");
    arguments.end();
    List<Object> any = wanted instanceof Tuple t ? t.items() : List.of(nonNull(wanted, arguments));
    for (Object one : any) {
      String affix = Values.text(one);
      if (affix == null) {
        throw arguments.wrong(start ? "prefix" : "suffix", one, "a string");
      }
      run.budget().look(affix.length());
      if (start ? text.startsWith(affix) : text.endsWith(affix)) {
        return true;
      }
    }
    return false;
  }

  private static Object nonNull(Object wanted, Arguments arguments) {
    if (wanted == null) {
      throw arguments.wrong("prefix", null, "a string");
    }
    return wanted;
  }

  private static Object remove(String text, String name, Run run, Arguments arguments) {
    String affix = arguments.string(name.substring("remove".length()));
    arguments.end();
    run.budget().text(text.length());
    if (name.equals("removeprefix")) {
      return text.startsWith(affix) ? text.substring(affix.length()) : text;
    }
    return text.endsWith(affix) ? text.substring(0, text.length() - affix.length()) : text;
  }

  private static Object replace(String text, Run run, Arguments arguments) {
    String old = arguments.string("old");
    String by = arguments.string("new");
    int count = arguments.integer("count", -1);
    arguments.end();
    return Splitting.replace(text, old, by, count, run.budget());
  }

  private static Object find(String text, Run run, Arguments arguments) {
    String part = arguments.string("sub");
    arguments.end();
    int at = Search.indexOf(text, part, 0, run.budget());
    return at < 0 ? -1L : (long) text.codePointCount(0, at);
  }

  private static Object count(String text, Run run, Arguments arguments) {
    String part = arguments.string("sub");
    arguments.end();
    if (part.isEmpty()) {
      run.budget().look(text.length());
      return Values.length(text) + 1L;
    }
    long count = 0;
    int at = Search.indexOf(text, part, 0, run.budget());
    while (at >= 0) {
      count++;
      at = Search.indexOf(text, part, at + part.length(), run.budget());
    }
    return count;
  }

  private static Object join(String text, Run run, Arguments arguments) {
    List<Object> items = Values.items(arguments.required("iterable"), run.budget());
    arguments.end();
    for (Object item : items) {
      if (Values.text(item) == null) {
        throw arguments.wrong("iterable", item, "strings only");
      }
    }
    return Splitting.join(text, items, run.budget());
  }

  private static Object all(
      String text, java.util.function.IntPredicate test, Run run, Arguments a) {
    a.end();
    run.budget().look(text.length());
    return !text.isEmpty() && text.codePoints().allMatch(test);
  }
}
