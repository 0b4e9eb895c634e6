package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Function.Method;
import dev.sortie.nn.text.jinja.TemplateValue.Namespace;
import dev.sortie.nn.text.jinja.TemplateValue.Range;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Functions that every template has. */
final class Globals {
  /** Jinja has them, chat templates do not need them. */
  static final Set<String> UNSUPPORTED = Set.of("cycler", "joiner", "lipsum");

  static final Map<String, Object> ALL =
      Map.of(
          "raise_exception", new Method("raise_exception", Globals::raise),
          "strftime_now", new Method("strftime_now", Globals::now),
          "namespace", new Method("namespace", Globals::namespace),
          "range", new Method("range", Globals::range),
          "dict", new Method("dict", Globals::dict));

  private Globals() {}

  /** The template's own refusal. */
  static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refusal(String message) {
      super(message, null, false, false);
    }
  }

  private static Object raise(RenderContext context, BoundArguments arguments) {
    Object message = arguments.required("message");
    arguments.end();
    throw new Refusal(PythonText.quoted(PythonText.of(message, context.budget())));
  }

  private static Object now(RenderContext context, BoundArguments arguments) {
    String format = arguments.string("format");
    arguments.end();
    return Strftime.format(format, context.now().get(), context.budget());
  }

  private static Object namespace(RenderContext context, BoundArguments arguments) {
    context.budget().items(2);
    Namespace namespace = new Namespace();
    pairs(context, arguments).forEach((name, value) -> namespace.set((String) name, value));
    return namespace;
  }

  private static Object dict(RenderContext context, BoundArguments arguments) {
    return pairs(context, arguments);
  }

  /** A dict or a list of pairs, if given, then the named arguments. */
  private static Map<Object, Object> pairs(RenderContext context, BoundArguments arguments) {
    Map<Object, Object> result = new LinkedHashMap<>();
    if (arguments.hasNext()) {
      Object first = arguments.required("mapping");
      if (first instanceof Map<?, ?> map) {
        context.budget().items(map.size());
        result.putAll(map);
      } else {
        for (Object pair : Values.items(first, context.budget())) {
          List<Object> two = Values.items(pair, context.budget());
          if (two.size() != 2) {
            throw new ValueException(arguments.callee() + " takes pairs of key and value");
          }
          result.put(Values.key(two.get(0)), two.get(1));
        }
      }
    }
    result.putAll(arguments.restNamed());
    arguments.end();
    return result;
  }

  private static Object range(RenderContext context, BoundArguments arguments) {
    List<Object> numbers = arguments.rest();
    arguments.end();
    if (numbers.isEmpty() || numbers.size() > 3) {
      throw new ValueException("range() takes one to three numbers, not " + numbers.size());
    }
    long first = number(numbers.getFirst());
    if (numbers.size() == 1) {
      return Range.of(0, first, 1);
    }
    return Range.of(
        first, number(numbers.get(1)), numbers.size() == 2 ? 1 : number(numbers.get(2)));
  }

  private static long number(Object value) {
    return switch (value) {
      case Long n -> n;
      case Boolean b -> b ? 1 : 0;
      case Undefined u -> throw u.failure();
      case null, default ->
          throw new ValueException("range() takes integers, not " + Values.typeName(value));
    };
  }
}
