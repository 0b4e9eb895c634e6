package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.ArrayList;
import java.util.List;

/** An attribute that a filter looks up in each item: a name, an index, or several with dots. */
record AttributePath(List<Object> parts) {

  static AttributePath of(Object attribute, RenderContext context) {
    String text = Values.text(attribute);
    if (text == null && !(attribute instanceof Long)) {
      throw new ValueException(
          "an attribute is a string or an integer, not " + Values.typeName(attribute));
    }
    List<Object> parts = new ArrayList<>();
    if (text == null) {
      parts.add(attribute);
    } else {
      context.budget().items(text.length());
      for (String part : text.split("\\.", -1)) {
        parts.add(part.matches("[0-9]{1,9}") ? (Object) Long.valueOf(part) : part);
      }
    }
    return new AttributePath(parts);
  }

  Object get(Object item, RenderContext context) {
    return get(item, null, context);
  }

  /** {@code fallback} takes the place of what is undefined, unless it is null. */
  Object get(Object item, Object fallback, RenderContext context) {
    Object found = item;
    for (Object part : parts) {
      context.budget().step();
      found = Access.item(found, part, context);
      if (fallback != null && found instanceof Undefined) {
        found = fallback;
      }
    }
    return found;
  }
}
