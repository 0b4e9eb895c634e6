package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.TemplateValue.DictView;
import dev.sortie.nn.text.jinja.TemplateValue.Namespace;
import dev.sortie.nn.text.jinja.TemplateValue.Range;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Attributes, items and slices. {@code a.b} prefers a method of {@code a} to its item, {@code
 * a['b']} the item; what changes a value or begins with an underscore is out of reach.
 */
final class Access {
  private static final Set<String> CHANGE_DICT =
      Set.of("clear", "pop", "popitem", "setdefault", "update");
  private static final Set<String> CHANGE_LIST =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> OF_NUMBERS =
      Set.of(
          "real",
          "imag",
          "numerator",
          "denominator",
          "conjugate",
          "bit_length",
          "bit_count",
          "to_bytes",
          "from_bytes",
          "as_integer_ratio",
          "is_integer",
          "hex",
          "fromhex");

  /** Not null, which is the value none. */
  static final Object ABSENT = new Object();

  private Access() {}

  /** {@code of.name}. */
  static Object attribute(Object of, String name, RenderContext context) {
    if (of instanceof Undefined u) {
      throw u.failure();
    }
    Object own = ownAttribute(of, name, context);
    if (own != ABSENT) {
      return own;
    }
    return of instanceof Map<?, ?> map && map.containsKey(name)
        ? map.get(name)
        : absent(of, PythonText.quoted(name), "attribute");
  }

  /** {@code of[index]}. */
  static Object item(Object of, Object index, RenderContext context) {
    if (of instanceof Undefined u) {
      throw u.failure();
    }
    if (of instanceof Map<?, ?> map) {
      if (isKey(index) && map.containsKey(Values.key(index))) {
        return map.get(Values.key(index));
      }
    } else if (index instanceof Long || index instanceof Boolean) {
      long wanted = index instanceof Boolean b ? (b ? 1 : 0) : (Long) index;
      look(of, context.budget());
      int length = of instanceof LoopState || of instanceof DictView ? -1 : Values.length(of);
      long at = wanted < 0 ? wanted + length : wanted;
      if (at >= 0 && at < length) {
        return element(of, (int) at);
      }
    }
    String name = Values.text(index);
    Object own = name == null ? ABSENT : ownAttribute(of, name, context);
    return own != ABSENT ? own : absent(of, PythonText.of(index, context.budget()), "item");
  }

  /** Characters of a text are found by counting them. */
  private static void look(Object of, Budget budget) {
    String text = Values.text(of);
    budget.look(text == null ? 0 : text.length());
  }

  private static boolean isKey(Object index) {
    return index == null || index instanceof Long || Values.text(index) != null;
  }

  private static Object element(Object of, int at) {
    return switch (of) {
      case List<?> l -> l.get(at);
      case Tuple t -> t.items().get(at);
      case Range r -> r.get(at);
      default -> {
        String text = Values.text(of);
        int from = text.offsetByCodePoints(0, at);
        yield Character.toString(text.codePointAt(from));
      }
    };
  }

  private static Undefined absent(Object of, String what, String kind) {
    return new Undefined(Values.typeName(of) + " has no " + kind + " " + what);
  }

  /** An attribute that is no item, or {@link #ABSENT}. */
  private static Object ownAttribute(Object of, String name, RenderContext context) {
    if (name.startsWith("__") && name.endsWith("__")) {
      return new Undefined("the attribute " + PythonText.quoted(name) + " is out of reach");
    }
    String text = Values.text(of);
    if (text != null) {
      return StringMethods.find(of, text, name);
    }
    return switch (of) {
      case Map<?, ?> map ->
          CHANGE_DICT.contains(name) ? changing(name) : DictMethods.find(map, name);
      case List<?> list ->
          CHANGE_LIST.contains(name) ? changing(name) : ListMethods.find(list, name);
      case Tuple tuple -> ListMethods.find(tuple.items(), name);
      case Namespace namespace -> namespace.has(name) ? namespace.get(name) : ABSENT;
      case LoopState loop -> loop.attribute(name, context.budget());
      case Function f ->
          throw new ValueException(
              "attributes of functions, such as '" + name + "', are not supported");
      case null -> ABSENT;
      default -> {
        if (Values.isNumber(of) && OF_NUMBERS.contains(name)) {
          throw new ValueException("the attribute '" + name + "' of a number is not supported");
        }
        yield ABSENT;
      }
    };
  }

  private static Undefined changing(String name) {
    return new Undefined("'" + name + "' would change a value, which templates may not");
  }

  /** {@code of[start:stop:step]}; an absent part is null. */
  static Object slice(Object of, Object start, Object stop, Object step, Budget budget) {
    if (of instanceof Undefined u) {
      throw u.failure();
    }
    String text = Values.text(of);
    List<?> items =
        switch (of) {
          case List<?> l -> l;
          case Tuple t -> t.items();
          case null, default -> null;
        };
    if (text == null && items == null) {
      throw new ValueException(Values.typeName(of) + " cannot be sliced");
    }
    look(of, budget);
    int length = items != null ? items.size() : Values.length(text);
    long by = step == null ? 1 : bound(step);
    if (by == 0) {
      throw new ValueException("the step of a slice is 0");
    }
    long low = by > 0 ? 0 : -1;
    long high = by > 0 ? length : length - 1L;
    long from = start == null ? (by > 0 ? low : high) : clamp(bound(start), length, low, high);
    long to = stop == null ? (by > 0 ? high : low) : clamp(bound(stop), length, low, high);
    if (text != null) {
      return budget.made(slice(text, length, from, to, by));
    }
    List<Object> result = new ArrayList<>();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      budget.items(1);
      result.add(items.get((int) i));
    }
    return of instanceof Tuple ? new Tuple(result) : result;
  }

  private static String slice(String text, int length, long from, long to, long by) {
    if (by == 1 && length == text.length()) {
      return from < to ? text.substring((int) from, (int) to) : "";
    }
    int[] points = text.codePoints().toArray();
    StringBuilder out = new StringBuilder();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      out.appendCodePoint(points[(int) i]);
    }
    return out.toString();
  }

  private static long clamp(long index, int length, long low, long high) {
    return Math.max(low, Math.min(high, index < 0 ? index + length : index));
  }

  private static long bound(Object value) {
    // far beyond any length, and far enough from overflow
    return switch (value) {
      case Long n -> Math.max(-(1L << 40), Math.min(1L << 40, n));
      case Boolean b -> b ? 1 : 0;
      case BigInteger n -> n.signum() * (1L << 40);
      default -> throw new ValueException("a slice by " + Values.typeName(value));
    };
  }
}
