package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import dev.sortie.nn.text.jinja.TemplateValue.Range;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Equality, order and membership, as Python has them. */
final class Comparing {
  private Comparing() {}

  static boolean equal(Object a, Object b, Budget budget) {
    budget.step();
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return isOrdered(a, b) && numbers(a, b) == 0;
    }
    String text = Values.text(a);
    if (text != null) {
      budget.look(text.length());
      return text.equals(Values.text(b));
    }
    return switch (a) {
      case List<?> x when b instanceof List<?> y -> equalItems(x, y, budget);
      case Tuple x when b instanceof Tuple y -> equalItems(x.items(), y.items(), budget);
      case Map<?, ?> x when b instanceof Map<?, ?> y -> equalMaps(x, y, budget);
      case Undefined u -> b instanceof Undefined;
      case Range x -> x.equals(b);
      case null, default -> a == b;
    };
  }

  private static boolean equalItems(List<?> a, List<?> b, Budget budget) {
    if (a.size() != b.size()) {
      return false;
    }
    budget.enter();
    Iterator<?> other = b.iterator();
    for (Object item : a) {
      if (!equal(item, other.next(), budget)) {
        budget.leave();
        return false;
      }
    }
    budget.leave();
    return true;
  }

  private static boolean equalMaps(Map<?, ?> a, Map<?, ?> b, Budget budget) {
    if (a.size() != b.size()) {
      return false;
    }
    budget.enter();
    for (Map.Entry<?, ?> entry : a.entrySet()) {
      if (!b.containsKey(entry.getKey())
          || !equal(entry.getValue(), b.get(entry.getKey()), budget)) {
        budget.leave();
        return false;
      }
    }
    budget.leave();
    return true;
  }

  /**
   * Below, equal or above 0 as {@code a} stands to {@code b}.
   *
   * @throws ValueException if they have no order
   */
  static int compare(Object a, Object b, Budget budget) {
    budget.step();
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return numbers(a, b);
    }
    String text = Values.text(a);
    String other = Values.text(b);
    if (text != null && other != null) {
      budget.look(Math.min(text.length(), other.length()));
      return strings(text, other);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      return compareItems(x, y, budget);
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return compareItems(x.items(), y.items(), budget);
    }
    if (a instanceof Undefined u) {
      throw u.failure();
    }
    if (b instanceof Undefined u) {
      throw u.failure();
    }
    throw new ValueException(
        Values.typeName(a) + " and " + Values.typeName(b) + " cannot be compared");
  }

  private static int compareItems(List<?> a, List<?> b, Budget budget) {
    budget.enter();
    int result = Integer.compare(a.size(), b.size());
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      if (!equal(a.get(i), b.get(i), budget)) {
        result = compare(a.get(i), b.get(i), budget);
        break;
      }
    }
    budget.leave();
    return result;
  }

  /** By code points; the order of UTF-16 units differs beyond the basic plane. */
  private static int strings(String a, String b) {
    int common = Math.min(a.length(), b.length());
    for (int i = 0; i < common; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean mixed = Character.isSurrogate(x) != Character.isSurrogate(y);
        return mixed ? (Character.isSurrogate(x) ? 1 : -1) : Character.compare(x, y);
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /** NaN is neither below nor equal to nor above anything. */
  static boolean isOrdered(Object a, Object b) {
    return !(a instanceof Double x && x.isNaN() || b instanceof Double y && y.isNaN());
  }

  private static int numbers(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return Long.compare(x, y);
    }
    if (a instanceof Double x && b instanceof Double y) {
      return ordered(x) < ordered(y) ? -1 : ordered(x) > ordered(y) ? 1 : 0;
    }
    if (a instanceof Double x && b instanceof Long y) {
      return -numbers(y, x);
    }
    if (a instanceof Long x && b instanceof Double y) {
      return compared(x, ordered(y));
    }
    if (a instanceof Double x && x.isInfinite() || b instanceof Double y && y.isInfinite()) {
      return Double.compare(NumberOperators.real(a), NumberOperators.real(b));
    }
    return exact(a).compareTo(exact(b));
  }

  /** NaN sorts as 0, so that there is an order. */
  private static double ordered(double number) {
    return Double.isNaN(number) ? 0 : number;
  }

  /** Exact, where a conversion of either would round. */
  private static int compared(long a, double b) {
    if (b >= 0x1p63) {
      return -1;
    }
    if (b < -0x1p63) {
      return 1;
    }
    long whole = (long) b;
    return a != whole ? Long.compare(a, whole) : Double.compare(0, b - whole);
  }

  private static BigDecimal exact(Object number) {
    return switch (number) {
      case Boolean b -> b ? BigDecimal.ONE : BigDecimal.ZERO;
      case Double d -> new BigDecimal(d.isNaN() ? 0 : d);
      case BigInteger n -> new BigDecimal(n);
      default -> BigDecimal.valueOf((Long) number);
    };
  }

  /** {@code item in container}. */
  static boolean contains(Object container, Object item, Budget budget) {
    String text = Values.text(container);
    if (text != null) {
      String part = Values.text(item);
      if (part == null) {
        throw new ValueException(
            "'in' a string needs a string on its left, not " + Values.typeName(item));
      }
      return Search.indexOf(text, part, 0, budget) >= 0;
    }
    if (container instanceof Map<?, ?> map) {
      budget.step();
      return isKey(item) && map.containsKey(Values.key(item));
    }
    if (!Values.isIterable(container)) {
      throw new ValueException("'in' cannot search " + Values.typeName(container));
    }
    for (Object one : Values.items(container, budget)) {
      if (equal(one, item, budget)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isKey(Object item) {
    return item == null || item instanceof Long || Values.text(item) != null;
  }
}
