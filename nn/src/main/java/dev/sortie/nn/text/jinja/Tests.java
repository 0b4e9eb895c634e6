package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateValue.DictView;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** The tests by name: what stands after {@code is}. */
final class Tests {
  /** Whether something holds of a value. */
  private interface Test {
    boolean holds(RenderContext context, Object value, BoundArguments arguments);
  }

  private static final Map<String, Test> ALL = all();

  private Tests() {}

  private static Map<String, Test> all() {
    Map<String, Test> all = new HashMap<>();
    plain(all, "defined", v -> !(v instanceof Undefined));
    plain(all, "undefined", v -> v instanceof Undefined);
    plain(all, "none", v -> v == null);
    plain(all, "boolean", v -> v instanceof Boolean);
    plain(all, "true", v -> v instanceof Boolean b && b);
    plain(all, "false", v -> v instanceof Boolean b && !b);
    plain(all, "integer", v -> v instanceof Number && !(v instanceof Double));
    plain(all, "float", v -> v instanceof Double);
    plain(all, "number", Values::isNumber);
    plain(all, "string", v -> Values.text(v) != null);
    plain(all, "mapping", v -> v instanceof Map);
    plain(all, "iterable", Values::isIterable);
    plain(all, "sequence", Tests::isSequence);
    plain(all, "callable", v -> v instanceof Function || v instanceof LoopState);
    all.put("lower", (context, v, a) -> cased(context, v, a, Character::isUpperCase));
    all.put("upper", (context, v, a) -> cased(context, v, a, Character::isLowerCase));
    all.put("odd", (context, v, a) -> remainder(context, v, 2L, a) == 1);
    all.put("even", (context, v, a) -> remainder(context, v, 2L, a) == 0);
    all.put("divisibleby", (context, v, a) -> remainder(context, v, a.required("num"), a) == 0);
    all.put("sameas", Tests::same);
    all.put("in", (context, v, a) -> Comparing.contains(only(a, "seq"), v, context.budget()));
    for (String name : List.of("eq", "==", "equalto")) {
      all.put(name, (context, v, a) -> Comparing.equal(v, only(a, "other"), context.budget()));
    }
    for (String name : List.of("ne", "!=")) {
      all.put(name, (context, v, a) -> !Comparing.equal(v, only(a, "other"), context.budget()));
    }
    for (String name : List.of("lt", "lessthan", "<")) {
      all.put(name, (context, v, a) -> ordered("<", v, only(a, "other"), context));
    }
    for (String name : List.of("le", "<=")) {
      all.put(name, (context, v, a) -> ordered("<=", v, only(a, "other"), context));
    }
    for (String name : List.of("gt", "greaterthan", ">")) {
      all.put(name, (context, v, a) -> ordered(">", v, only(a, "other"), context));
    }
    for (String name : List.of("ge", ">=")) {
      all.put(name, (context, v, a) -> ordered(">=", v, only(a, "other"), context));
    }
    return Map.copyOf(all);
  }

  private static void plain(Map<String, Test> all, String name, Predicate<Object> test) {
    all.put(
        name,
        (context, value, arguments) -> {
          arguments.end();
          return test.test(value);
        });
  }

  private static Object only(BoundArguments arguments, String name) {
    Object value = arguments.required(name);
    arguments.end();
    return value;
  }

  static boolean isKnown(String name) {
    return ALL.containsKey(name);
  }

  static boolean holds(RenderContext context, String name, Object value, BoundArguments arguments) {
    Test test = ALL.get(name);
    if (test == null) {
      throw new ValueException(
          "the test "
              + PythonText.quoted(name)
              + " is not supported in chat templates here; change or replace the template");
    }
    return test.holds(context, value, arguments);
  }

  /** Whether {@code a operator b}; NaN has no order. */
  static boolean ordered(String operator, Object a, Object b, RenderContext context) {
    int order = Comparing.compare(a, b, context.budget());
    boolean holds =
        switch (operator) {
          case "<" -> order < 0;
          case "<=" -> order <= 0;
          case ">" -> order > 0;
          default -> order >= 0;
        };
    return holds && Comparing.isOrdered(a, b);
  }

  /** What has a length and items by key: for Jinja a dict too. */
  private static boolean isSequence(Object value) {
    return Values.length(value) >= 0 && !(value instanceof LoopState || value instanceof DictView);
  }

  /** Whether there is a letter with case, and none of the kind {@code other}. */
  private static boolean cased(
      RenderContext context, Object value, BoundArguments arguments, IntPredicate other) {
    arguments.end();
    String text = PythonText.of(value, context.budget());
    context.budget().steps(text.length() / 8 + 1);
    IntPredicate cased =
        c -> Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    return text.codePoints().anyMatch(cased)
        && text.codePoints().noneMatch(c -> other.test(c) || Character.isTitleCase(c));
  }

  private static double remainder(
      RenderContext context, Object value, Object by, BoundArguments arguments) {
    arguments.end();
    if (!Values.isNumber(value) && !(value instanceof Undefined) || !Values.isNumber(by)) {
      throw new ValueException("a remainder of " + Values.typeName(value));
    }
    return NumberOperators.real(NumberOperators.apply("%", value, by, context.budget()));
  }

  /** Identity: of texts and numbers Python leaves it open, so those are refused. */
  private static boolean same(RenderContext context, Object value, BoundArguments arguments) {
    Object other = only(arguments, "other");
    if (value == null || other == null || value instanceof Boolean || other instanceof Boolean) {
      return value == null ? other == null : value.equals(other);
    }
    throw new ValueException("'sameas' of other values than none and booleans is not supported");
  }
}
