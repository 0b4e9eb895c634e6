package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import java.util.List;
import java.util.Map;

/** The string method format, with plain fields: {@code {}}, {@code {0}} and {@code {name}}. */
final class Formatting {
  /** Steps that a field takes. */
  private static final int FIELD = 8;

  private Formatting() {}

  static String format(String text, Budget budget, BoundArguments arguments) {
    List<Object> positional = arguments.rest();
    Map<String, Object> named = arguments.restNamed();
    StringBuilder out = new StringBuilder();
    int automatic = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '{' && c != '}') {
        out.append(c);
      } else if (i + 1 < text.length() && text.charAt(i + 1) == c) {
        out.append(c);
        i++;
      } else {
        int end = text.indexOf('}', i);
        if (c == '}' || end < 0) {
          throw new ValueException("format(): a single '" + c + "'; double it to show it");
        }
        budget.steps(FIELD);
        String field = text.substring(i + 1, end);
        Object value = value(field, automatic, positional, named);
        automatic += field.isEmpty() ? 1 : 0;
        String shown = PythonText.of(value, budget);
        budget.text(shown.length());
        out.append(shown);
        i = end;
      }
    }
    return budget.made(out.toString());
  }

  private static Object value(
      String field, int automatic, List<Object> positional, Map<String, Object> named) {
    if (field.isEmpty() || field.matches("[0-9]{1,4}")) {
      int index = field.isEmpty() ? automatic : Integer.parseInt(field);
      if (index >= positional.size()) {
        throw new ValueException("format() has no argument " + index);
      }
      return positional.get(index);
    }
    if (!field.matches("[A-Za-z_][A-Za-z_0-9]*")) {
      throw new ValueException(
          "the field " + PythonText.quoted("{" + field + "}") + " of format() is not supported");
    }
    if (!named.containsKey(field)) {
      throw new ValueException("format() has no argument '" + field + "'");
    }
    return named.get(field);
  }
}
