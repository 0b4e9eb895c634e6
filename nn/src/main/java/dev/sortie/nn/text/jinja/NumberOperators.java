package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.TemplateValue.SafeString;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Operators on numbers, and those that strings, lists and tuples share with them. */
final class NumberOperators {
  private NumberOperators() {}

  static Object apply(String operator, Object a, Object b, Budget budget) {
    if (a instanceof Undefined u) {
      throw u.failure();
    }
    if (b instanceof Undefined u) {
      throw u.failure();
    }
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return numbers(operator, a, b);
    }
    Object joined =
        switch (operator) {
          case "+" -> plus(a, b, budget);
          case "*" ->
              b instanceof Long n
                  ? repeat(a, n, budget)
                  : a instanceof Long n ? repeat(b, n, budget) : null;
          case "%" -> {
            if (Values.text(a) != null) {
              throw new ValueException("the operator '%' on a string is not supported");
            }
            yield null;
          }
          default -> null;
        };
    if (joined == null) {
      throw new ValueException(
          "the operator '%s' does not take %s and %s"
              .formatted(operator, Values.typeName(a), Values.typeName(b)));
    }
    return joined;
  }

  private static Object plus(Object a, Object b, Budget budget) {
    String left = Values.text(a);
    String right = Values.text(b);
    if (left != null && right != null) {
      budget.text((long) left.length() + right.length());
      if (a instanceof SafeString || b instanceof SafeString) {
        SafeString joined = SafeString.joined(a, b);
        budget.text(joined.text().length());
        return joined;
      }
      return left + right;
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      return joined(x, y, budget);
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return new Tuple(joined(x.items(), y.items(), budget));
    }
    return null;
  }

  private static List<Object> joined(List<?> a, List<?> b, Budget budget) {
    budget.items((long) a.size() + b.size());
    List<Object> all = new ArrayList<>(a.size() + b.size());
    all.addAll(a);
    all.addAll(b);
    return all;
  }

  private static Object repeat(Object what, long times, Budget budget) {
    long count = Math.max(0, Math.min(times, Integer.MAX_VALUE));
    return switch (what) {
      case String s -> repeated(s, count, budget);
      case SafeString s -> new SafeString(repeated(s.text(), count, budget));
      case List<?> l -> repeated(l, count, budget);
      case Tuple t -> new Tuple(repeated(t.items(), count, budget));
      case null, default -> null;
    };
  }

  private static String repeated(String text, long count, Budget budget) {
    budget.text(text.length() * count);
    return text.repeat((int) count);
  }

  private static List<Object> repeated(List<?> list, long count, Budget budget) {
    budget.items(list.size() * count);
    List<Object> all = new ArrayList<>();
    for (long i = 0; i < count && !list.isEmpty(); i++) {
      all.addAll(list);
    }
    return all;
  }

  private static Object numbers(String operator, Object a, Object b) {
    try {
      if (operator.equals("/")) {
        return real(a) / nonZero(real(b));
      }
      return a instanceof Double || b instanceof Double
          ? (Object) reals(operator, real(a), real(b))
          : integers(operator, integer(a), integer(b));
    } catch (ArithmeticException e) {
      throw new ValueException("the result of '" + operator + "' does not fit into 64 bits");
    }
  }

  private static double reals(String operator, double a, double b) {
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "//" -> Math.floor(a / nonZero(b));
      case "%" -> {
        double r = a % nonZero(b);
        yield r != 0 && r < 0 != b < 0 ? r + b : r;
      }
      case "**" -> Math.pow(a, b);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static Object integers(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> Math.floorDiv(a, nonZero(b));
      case "%" -> Math.floorMod(a, nonZero(b));
      case "**" -> power(a, b);
      default -> throw new IllegalStateException(operator);
    };
  }

  private static Object power(long a, long b) {
    if (b < 0) {
      return Math.pow(nonZero((double) a), b);
    }
    if (a >= -1 && a <= 1) {
      return a == -1 && b % 2 == 0 ? 1L : b == 0 ? 1L : a;
    }
    if (b > 63) {
      throw new ArithmeticException();
    }
    return BigInteger.valueOf(a).pow((int) b).longValueExact();
  }

  private static double nonZero(double divisor) {
    if (divisor == 0) {
      throw new ValueException("division by zero");
    }
    return divisor;
  }

  private static long nonZero(long divisor) {
    if (divisor == 0) {
      throw new ValueException("division by zero");
    }
    return divisor;
  }

  static double real(Object number) {
    return number instanceof Boolean b ? (b ? 1 : 0) : ((Number) number).doubleValue();
  }

  /**
   * @throws ArithmeticException if it has more than 64 bits
   */
  private static long integer(Object number) {
    return switch (number) {
      case Boolean b -> b ? 1 : 0;
      case BigInteger n -> n.longValueExact();
      default -> (Long) number;
    };
  }

  static Object signed(boolean negative, Object value) {
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (!Values.isNumber(value)) {
      throw new ValueException("a sign before " + Values.typeName(value));
    }
    if (value instanceof Double d) {
      return negative ? -d : d;
    }
    return negative ? numbers("-", 0L, value) : numbers("+", 0L, value);
  }
}
