package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.TemplateValue.DictView;
import dev.sortie.nn.text.jinja.TemplateValue.Generator;
import dev.sortie.nn.text.jinja.TemplateValue.Namespace;
import dev.sortie.nn.text.jinja.TemplateValue.Range;
import dev.sortie.nn.text.jinja.TemplateValue.SafeString;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/** Values as Python's str and repr show them. */
final class PythonText {
  private static final int LONGEST_QUOTED = 200;

  /** Steps that the decimal digits of a float take. */
  private static final int REAL = 8;

  private PythonText() {}

  /** As a template prints it. */
  static String of(Object value, Budget budget) {
    String text = Values.text(value);
    if (text != null) {
      return text;
    }
    return switch (value) {
      case null -> "None";
      case Undefined u -> "";
      case Boolean b -> b ? "True" : "False";
      case Double d -> {
        budget.steps(REAL);
        yield real(d);
      }
      case Number n -> n.toString();
      default -> {
        StringBuilder out = new StringBuilder();
        show(value, out, budget);
        yield out.toString();
      }
    };
  }

  private static void show(Object value, StringBuilder out, Budget budget) {
    budget.step();
    int before = out.length();
    switch (value) {
      case String s -> quote(s, out, budget::length);
      case SafeString s -> {
        out.append("Markup(");
        quote(s.text(), out, budget::length);
        out.append(')');
      }
      case Undefined u -> out.append("Undefined");
      case List<?> l -> items(l, "[", "]", out, budget);
      case Tuple t -> items(t.items(), "(", t.items().size() == 1 ? ",)" : ")", out, budget);
      case Map<?, ?> m -> map(m, out, budget);
      case DictView v -> {
        out.append(v.kind()).append('(');
        items(v.items(), "[", "]", out, budget);
        out.append(')');
      }
      case Range r -> {
        out.append("range(").append(r.start()).append(", ").append(r.stop());
        out.append(r.step() == 1 ? ")" : ", " + r.step() + ")");
      }
      case Generator g -> throw unprintable(value);
      case Namespace n -> throw unprintable(value);
      case Renderer.Macro m -> out.append("<Macro ").append(quoted(m.name())).append('>');
      case Function f -> throw unprintable(value);
      case LoopState l -> throw unprintable(value);
      case null, default -> out.append(of(value, budget));
    }
    if (!(value instanceof List || value instanceof Map || value instanceof Tuple)) {
      budget.text(out.length() - before);
    }
  }

  /** Python would print a memory address. */
  private static ValueException unprintable(Object value) {
    return new ValueException(Values.typeName(value) + " has no text of its own");
  }

  private static void items(
      List<?> items, String open, String close, StringBuilder out, Budget budget) {
    budget.enter();
    out.append(open);
    String comma = "";
    for (Object item : items) {
      out.append(comma);
      show(item, out, budget);
      comma = ", ";
    }
    out.append(close);
    budget.leave();
  }

  private static void map(Map<?, ?> map, StringBuilder out, Budget budget) {
    budget.enter();
    out.append('{');
    for (Iterator<? extends Map.Entry<?, ?>> i = map.entrySet().iterator(); i.hasNext(); ) {
      Map.Entry<?, ?> entry = i.next();
      show(entry.getKey(), out, budget);
      out.append(": ");
      show(entry.getValue(), out, budget);
      out.append(i.hasNext() ? ", " : "");
    }
    out.append('}');
    budget.leave();
  }

  /** A string's repr, cut for messages where it is long. */
  static String quoted(String text) {
    return text.length() <= LONGEST_QUOTED
        ? quotedWhole(text)
        : quotedWhole(text.substring(0, LONGEST_QUOTED)) + "…";
  }

  private static String quotedWhole(String text) {
    StringBuilder out = new StringBuilder();
    quote(text, out, length -> {});
    return out.toString();
  }

  private static void quote(String text, StringBuilder out, LongConsumer longer) {
    char mark = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(mark);
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      longer.accept(out.length());
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\\' -> out.append("\\\\");
        default -> {
          if (c == mark) {
            out.append('\\').append(mark);
          } else if (c == ' ' || isPrintable(c)) {
            out.appendCodePoint(c);
          } else {
            out.append(
                c < 0x100
                    ? "\\x%02x".formatted(c)
                    : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c));
          }
        }
      }
    }
    out.append(mark);
  }

  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /** The shortest decimal that reads back as {@code d}, laid out by Python's rules. */
  static String real(double d) {
    if (Double.isNaN(d)) {
      return "nan";
    }
    if (Double.isInfinite(d)) {
      return d > 0 ? "inf" : "-inf";
    }
    if (d == 0) {
      return 1 / d < 0 ? "-0.0" : "0.0";
    }
    BigDecimal shortest = shortest(Math.abs(d));
    String digits = shortest.unscaledValue().toString();
    int point = digits.length() - shortest.scale();
    String sign = d < 0 ? "-" : "";
    if (point <= -4 || point > 16) {
      String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
      int exponent = point - 1;
      return "%s%s%se%s%02d"
          .formatted(
              sign, digits.charAt(0), fraction, exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
    String plain = shortest.toPlainString();
    return sign + plain + (plain.contains(".") ? "" : ".0");
  }

  /** Java shows two digits at least, which is one too many for some of the smallest numbers. */
  private static BigDecimal shortest(double d) {
    BigDecimal shown = new BigDecimal(Double.toString(d)).stripTrailingZeros();
    BigDecimal one = shown.round(new MathContext(1));
    return shown.precision() == 2 && one.doubleValue() == d ? one.stripTrailingZeros() : shown;
  }
}
