package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.HashMap;
import java.util.Map;

/** Variables of a block; what it does not have is looked up in the block around it. */
final class Variables {
  /** Characters of a name that is shown as it is. */
  private static final int SHOWN = 80;

  private final Variables outer;
  private final Map<String, Object> variables = new HashMap<>(4);

  Variables(Variables outer) {
    this.outer = outer;
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  Object get(String name) {
    for (Variables s = this; s != null; s = s.outer) {
      if (s.variables.containsKey(name)) {
        return s.variables.get(name);
      }
    }
    if (Globals.UNSUPPORTED.contains(name)) {
      throw new ValueException(
          "the function '" + name + "' is not supported in chat templates here");
    }
    Object global = Globals.ALL.get(name);
    return global != null ? global : new Undefined(shown(name) + " is undefined");
  }

  /** A name has nothing to escape, but may be as long as the template. */
  private static String shown(String name) {
    return name.length() <= SHOWN ? "'" + name + "'" : PythonText.quoted(name);
  }
}
