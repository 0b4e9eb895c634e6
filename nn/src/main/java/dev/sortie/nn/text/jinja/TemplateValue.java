package dev.sortie.nn.text.jinja;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values that only templates have; {@link Values} lists the others. */
sealed interface TemplateValue {
  /** A tuple: like a list, but shown and compared apart from one. */
  record Tuple(List<Object> items) implements TemplateValue {
    public Tuple {
      items = Collections.unmodifiableList(items);
    }

    static Tuple pair(Object key, Object value) {
      return new Tuple(Arrays.asList(key, value));
    }
  }

  /** What {@code keys()}, {@code values()} and {@code items()} return; {@code kind} names it. */
  record DictView(String kind, List<Object> items) implements TemplateValue {}

  /** The numbers from {@code start} by {@code step} up to, not including, {@code stop}. */
  record Range(long start, long stop, long step, int length) implements TemplateValue {
    /** As many as Jinja's sandbox allows. */
    static final int LONGEST = 100_000;

    static Range of(long start, long stop, long step) {
      if (step == 0) {
        throw new ValueException("range() has step 0");
      }
      double exact = Math.ceil(((double) stop - (double) start) / step);
      if (exact > LONGEST) {
        throw new ValueException("range() has more than " + LONGEST + " numbers");
      }
      return new Range(start, stop, step, (int) Math.max(0, exact));
    }

    long get(int index) {
      return start + index * step;
    }
  }

  /** A namespace: the one value whose attributes a template may set. */
  final class Namespace implements TemplateValue {
    private final Map<String, Object> attributes = new LinkedHashMap<>();

    void set(String name, Object value) {
      if (name.startsWith("_")) {
        throw new ValueException(
            "a namespace takes no attribute that begins with '_', such as "
                + PythonText.quoted(name));
      }
      attributes.put(name, value);
    }

    boolean has(String name) {
      return attributes.containsKey(name);
    }

    Object get(String name) {
      return attributes.get(name);
    }
  }

  /** A generator, as filters such as map return one: its items can be read once. */
  final class Generator implements TemplateValue {
    private List<Object> items;

    Generator(List<Object> items) {
      this.items = items;
    }

    List<Object> take() {
      List<Object> taken = items;
      items = List.of();
      return taken;
    }

    /** Takes the first item and leaves the others. */
    Object takeFirst() {
      Object first = items.getFirst();
      items = items.subList(1, items.size());
      return first;
    }

    boolean isEmpty() {
      return items.isEmpty();
    }
  }

  /**
   * A string marked safe for HTML. Chat templates escape nothing, so it prints as it is; but joined
   * to another string by {@code +} it escapes that one, even here.
   */
  record SafeString(String text) implements TemplateValue {
    private static final String ESCAPED = "&<>'\"";

    static SafeString joined(Object left, Object right) {
      return new SafeString(escaped(left) + escaped(right));
    }

    private static String escaped(Object part) {
      if (part instanceof SafeString safe) {
        return safe.text();
      }
      return ((String) part)
          .replace("&", "&amp;")
          .replace("<", "&lt;")
          .replace(">", "&gt;")
          .replace("'", "&#39;")
          .replace("\"", "&#34;");
    }

    /** An argument of a method of a safe string, unless the method might escape it. */
    static void refuseEscaped(String argument) {
      if (argument.chars().anyMatch(c -> ESCAPED.indexOf(c) >= 0)) {
        throw new ValueException(
            "a method of a text marked safe with the argument "
                + PythonText.quoted(argument)
                + " is not supported; leave out the filter 'safe'");
      }
    }
  }

  /**
   * A variable, attribute or item that is not there. It may be printed (as nothing), looped over
   * and tested; any other use fails.
   *
   * @param reason why it is not there
   */
  record Undefined(String reason) implements TemplateValue {
    ValueException failure() {
      return new ValueException(reason);
    }
  }
}
