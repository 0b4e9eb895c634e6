package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.TemplateValue.DictView;
import dev.sortie.nn.text.jinja.TemplateValue.Generator;
import dev.sortie.nn.text.jinja.TemplateValue.Namespace;
import dev.sortie.nn.text.jinja.TemplateValue.Range;
import dev.sortie.nn.text.jinja.TemplateValue.SafeString;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The values of templates: null for none, Boolean, Long (BigInteger as JSON may bring it), Double,
 * String and {@link SafeString}, List, {@link Tuple}, Map, {@link Range}, {@link DictView}, {@link
 * Generator}, {@link Namespace}, {@link Function}, {@link LoopState} and {@link Undefined}. They
 * behave as Python's do.
 */
final class Values {
  private Values() {}

  /** The text of a string, or null if {@code value} is none. */
  static String text(Object value) {
    return switch (value) {
      case String s -> s;
      case SafeString s -> s.text();
      case null, default -> null;
    };
  }

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  static boolean truth(Object value) {
    return switch (value) {
      case null -> false;
      case Boolean b -> b;
      case BigInteger n -> n.signum() != 0;
      case Number n -> n.doubleValue() != 0;
      case String s -> !s.isEmpty();
      case SafeString s -> !s.text().isEmpty();
      case List<?> l -> !l.isEmpty();
      case Tuple t -> !t.items().isEmpty();
      case Map<?, ?> m -> !m.isEmpty();
      case Range r -> r.length() > 0;
      case DictView v -> !v.items().isEmpty();
      case Undefined u -> false;
      default -> true;
    };
  }

  static String typeName(Object value) {
    return switch (value) {
      case null -> "none";
      case Boolean b -> "a bool";
      case Double d -> "a float";
      case Number n -> "an int";
      case String s -> "a string";
      case SafeString s -> "a string";
      case List<?> l -> "a list";
      case Tuple t -> "a tuple";
      case Map<?, ?> m -> "a dict";
      case Range r -> "a range";
      case DictView v -> v.kind();
      case Generator g -> "a generator";
      case Namespace n -> "a namespace";
      case Function f -> "a function";
      case LoopState l -> "a loop";
      case Undefined u -> "an undefined value";
      default -> throw new IllegalStateException(value.getClass().getName());
    };
  }

  /** The number of items of a sized value, or -1 if it has no size. */
  static int length(Object value) {
    return switch (value) {
      case String s -> s.codePointCount(0, s.length());
      case SafeString s -> length(s.text());
      case List<?> l -> l.size();
      case Tuple t -> t.items().size();
      case Map<?, ?> m -> m.size();
      case Range r -> r.length();
      case DictView v -> v.items().size();
      case LoopState l -> l.length();
      case Undefined u -> 0;
      case null, default -> -1;
    };
  }

  /** The items that a loop sees; those of a generator are taken. */
  @SuppressWarnings("unchecked")
  static List<Object> items(Object value, Budget budget) {
    List<Object> items =
        switch (value) {
          case Undefined u -> List.of();
          case String s -> characters(s, budget);
          case SafeString s -> characters(s.text(), budget);
          case List<?> l -> (List<Object>) l;
          case Tuple t -> t.items();
          case Map<?, ?> m -> {
            budget.items(m.size());
            yield keys(m);
          }
          case DictView v -> v.items();
          case Generator g -> g.take();
          case Range r -> numbers(r, budget);
          case null, default ->
              throw new ValueException(typeName(value) + " cannot be looped over");
        };
    budget.steps(items.size());
    return items;
  }

  static boolean isIterable(Object value) {
    return value instanceof Generator || length(value) >= 0;
  }

  static List<Object> keys(Map<?, ?> map) {
    return new ArrayList<>(map.keySet());
  }

  private static List<Object> characters(String text, Budget budget) {
    budget.items(text.length());
    List<Object> characters = new ArrayList<>(text.length());
    text.codePoints().forEach(c -> characters.add(Character.toString(c)));
    return characters;
  }

  private static List<Object> numbers(Range range, Budget budget) {
    budget.items(range.length());
    List<Object> numbers = new ArrayList<>(range.length());
    for (int i = 0; i < range.length(); i++) {
      numbers.add(range.get(i));
    }
    return numbers;
  }

  /**
   * A value as the key of a dict. Numbers that are equal must be one key.
   *
   * @throws ValueException if it cannot be one, or could not be told apart from another
   */
  static Object key(Object value) {
    return switch (value) {
      case null -> null;
      case String s -> s;
      case SafeString s -> s.text();
      case Long n -> n;
      case Undefined u -> throw u.failure();
      default ->
          throw new ValueException(
              typeName(value)
                  + " as a key of a dict is not supported; take a string or an integer");
    };
  }
}
