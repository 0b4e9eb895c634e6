package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Filters.Filter;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;

/** Filters that make numbers. */
final class NumberFilters {
  static final Map<String, Filter> ALL =
      Map.of(
          "int", NumberFilters::integer,
          "float", NumberFilters::real,
          "round", NumberFilters::round,
          "abs", NumberFilters::absolute);

  private static final String INTEGER = "[+-]?[0-9]+(?:_[0-9]+)*";
  private static final String REAL =
      "[+-]?(?:[0-9]+(?:_[0-9]+)*\\.?(?:[0-9]+(?:_[0-9]+)*)?|\\.[0-9]+(?:_[0-9]+)*)"
          + "(?:[eE][+-]?[0-9]+(?:_[0-9]+)*)?";
  private static final int LONGEST = 400;

  /** Steps that the work on a thousand decimal digits takes. */
  private static final int DECIMAL = 64;

  private NumberFilters() {}

  private static Object integer(RenderContext context, Object value, BoundArguments arguments) {
    Object fallback = arguments.optional("default", 0L);
    Object base = arguments.optional("base", 10L);
    arguments.end();
    if (!Long.valueOf(10).equals(base)) {
      throw new ValueException("the filter 'int' with another base than 10 is not supported");
    }
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    String text = Values.text(value);
    if (text != null) {
      context.budget().look(text.length());
      context.budget().steps(DECIMAL);
      String digits = stripped(text);
      if (digits.matches(INTEGER)) {
        return fits(new BigInteger(digits.replace("_", "").replaceFirst("^\\+", "")));
      }
      return parse(digits).filter(Double::isFinite).map(NumberFilters::truncated).orElse(fallback);
    }
    context.budget().steps(value instanceof Double ? DECIMAL : 1);
    return switch (value) {
      case Double d -> Double.isFinite(d) ? truncated(d) : fallback;
      case Boolean b -> b ? 1L : 0L;
      case Number n -> n;
      case null, default -> fallback;
    };
  }

  private static Object truncated(double d) {
    return fits(new BigDecimal(d).toBigInteger());
  }

  private static Object fits(BigInteger n) {
    if (n.bitLength() > 63) {
      throw new ValueException("an integer of more than 64 bits is not supported");
    }
    return n.longValue();
  }

  private static String stripped(String text) {
    String stripped = PythonSpace.stripEnd(text);
    stripped = stripped.substring(PythonSpace.skip(stripped, 0));
    return stripped.length() > LONGEST ? "" : stripped;
  }

  private static Optional<Double> parse(String text) {
    if (text.matches(REAL)) {
      return Optional.of(Double.parseDouble(text.replace("_", "")));
    }
    return switch (PythonCase.lower(text)) {
      case "inf", "+inf", "infinity", "+infinity" -> Optional.of(Double.POSITIVE_INFINITY);
      case "-inf", "-infinity" -> Optional.of(Double.NEGATIVE_INFINITY);
      case "nan", "+nan", "-nan" -> Optional.of(Double.NaN);
      default -> Optional.empty();
    };
  }

  private static Object real(RenderContext context, Object value, BoundArguments arguments) {
    Object fallback = arguments.optional("default", 0.0);
    arguments.end();
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    String text = Values.text(value);
    if (text != null) {
      context.budget().look(text.length());
      context.budget().steps(DECIMAL);
      return parse(stripped(text)).map(d -> (Object) d).orElse(fallback);
    }
    return Values.isNumber(value) ? (Object) NumberOperators.real(value) : fallback;
  }

  private static Object round(RenderContext context, Object value, BoundArguments arguments) {
    int precision = arguments.integer("precision", 0);
    String method = arguments.string("method", "common");
    arguments.end();
    if (precision < 0 || precision > 300) {
      throw new ValueException("round() to " + precision + " digits is not supported");
    }
    if (!Values.isNumber(value)) {
      throw value instanceof Undefined u
          ? u.failure()
          : new ValueException("round() takes a number, not " + Values.typeName(value));
    }
    if (method.equals("common")) {
      if (!(value instanceof Double d)) {
        return value instanceof Boolean b ? (b ? 1L : 0L) : value;
      }
      context.budget().steps(DECIMAL);
      return Double.isFinite(d)
          ? new BigDecimal(d).setScale(precision, RoundingMode.HALF_EVEN).doubleValue()
          : d;
    }
    double power = Math.pow(10, precision);
    double scaled = NumberOperators.real(value) * power;
    return switch (method) {
      case "ceil" -> Math.ceil(scaled) / power;
      case "floor" -> Math.floor(scaled) / power;
      default -> throw new ValueException("round() takes common, ceil or floor");
    };
  }

  private static Object absolute(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    if (value instanceof Undefined u) {
      throw u.failure();
    }
    if (!Values.isNumber(value)) {
      throw new ValueException("abs takes a number, not " + Values.typeName(value));
    }
    boolean negative =
        value instanceof Double d ? d <= 0 : Comparing.compare(value, 0L, context.budget()) < 0;
    return value instanceof Double d && d == 0
        ? (Object) 0.0
        : NumberOperators.signed(negative, value);
  }
}
