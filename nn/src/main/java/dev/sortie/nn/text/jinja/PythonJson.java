package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * JSON as Python's json.dumps lays it out.
 *
 * @param ascii whether other characters are escaped
 * @param indent what each level is indented by, or null for one line
 * @param comma between items
 * @param colon between key and value
 * @param sorted whether keys are sorted
 */
record PythonJson(boolean ascii, String indent, String comma, String colon, boolean sorted) {

  String of(Object value, Budget budget) {
    StringBuilder out = new StringBuilder();
    write(value, out, "\n", budget);
    return out.toString();
  }

  private void write(Object value, StringBuilder out, String line, Budget budget) {
    budget.step();
    String text = Values.text(value);
    if (text != null) {
      string(text, out, budget);
      return;
    }
    switch (value) {
      case null -> out.append("null");
      case Boolean b -> out.append(b);
      case Double d -> out.append(real(d));
      case Number n -> out.append(n);
      case List<?> l -> list(l, out, line, budget);
      case Tuple t -> list(t.items(), out, line, budget);
      case Map<?, ?> m -> map(m, out, line, budget);
      case Undefined u -> throw u.failure();
      default -> throw new ValueException(Values.typeName(value) + " has no JSON form");
    }
  }

  private void list(List<?> items, StringBuilder out, String line, Budget budget) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    budget.enter();
    String inner = inner(line, budget);
    out.append('[');
    String between = "";
    for (Object item : items) {
      between(out, between, budget);
      between(out, inner, budget);
      write(item, out, inner, budget);
      between = comma;
    }
    between(out, indent == null ? "" : line, budget);
    out.append(']');
    budget.leave();
  }

  private void map(Map<?, ?> map, StringBuilder out, String line, Budget budget) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    budget.enter();
    String inner = inner(line, budget);
    out.append('{');
    String between = "";
    for (Object key : keys(map, budget)) {
      between(out, between, budget);
      between(out, inner, budget);
      string(key(key), out, budget);
      between(out, colon, budget);
      write(map.get(key), out, inner, budget);
      between = comma;
    }
    between(out, indent == null ? "" : line, budget);
    out.append('}');
    budget.leave();
  }

  /** A new line with the indentation of the next level, which grows with the depth. */
  private String inner(String line, Budget budget) {
    if (indent == null) {
      return "";
    }
    budget.text((long) line.length() + indent.length());
    return line + indent;
  }

  /** What stands between the values comes with the template, so it counts. */
  private static void between(StringBuilder out, String text, Budget budget) {
    budget.make(text.length());
    budget.length((long) out.length() + text.length());
    out.append(text);
  }

  private List<Object> keys(Map<?, ?> map, Budget budget) {
    budget.items(map.size());
    List<Object> keys = new ArrayList<>(map.keySet());
    if (sorted) {
      keys.sort((a, b) -> Comparing.compare(a, b, budget));
    }
    return keys;
  }

  private static String key(Object key) {
    return key == null ? "null" : key.toString();
  }

  private static String real(double d) {
    if (Double.isNaN(d)) {
      return "NaN";
    }
    return Double.isInfinite(d) ? (d > 0 ? "Infinity" : "-Infinity") : PythonText.real(d);
  }

  private void string(String text, StringBuilder out, Budget budget) {
    int before = out.length();
    budget.length((long) before + text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20 || ascii && c >= 0x7F) {
            budget.length(out.length());
            hex(c, out);
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
    budget.make(out.length() - before);
  }

  private static void hex(char c, StringBuilder out) {
    out.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
      out.append(Character.forDigit(c >> shift & 0xF, 16));
    }
  }
}
