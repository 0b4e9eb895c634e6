package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * A schema within another, and where it stands. A place is small however long the names on the way
 * to it are.
 *
 * @param whole the schema that it is a part of
 * @param above what it stands in; null for the whole
 * @param step the name at which it stands there
 * @param schema as it was read
 */
record Place(Places whole, Place above, String step, Object schema) {
  private static final int LONGEST_NAME = 200;

  /** As JSON pointers have it, with {@code #} before. */
  String pointer() {
    Deque<String> steps = new ArrayDeque<>();
    for (Place at = this; at.above != null; at = at.above) {
      steps.push("/" + at.step.replace("~", "~0").replace("/", "~1"));
    }
    return "#" + String.join("", steps);
  }

  /**
   * The name of its rule: the pointer, where that is no longer than people read.
   *
   * @param number tells the other places apart
   */
  String name(int number) {
    int length = 0;
    for (Place at = this; at.above != null; at = at.above) {
      length += 1 + at.step.length();
    }
    return whole.prefix() + (length <= LONGEST_NAME ? pointer() : "#… " + number);
  }

  JsonObject object() {
    return (JsonObject) schema;
  }

  /** What stands at a name within this. */
  Place at(String name, Object within) {
    return new Place(whole, this, name, within);
  }

  /** The schema of a keyword. */
  Place at(String keyword) {
    return at(keyword, object().fields().get(keyword));
  }

  /** The schemas in the list of a keyword, at least one. */
  List<Place> items(String keyword) {
    if (!(object().fields().get(keyword) instanceof List<?> list) || list.isEmpty()) {
      throw wrong(keyword, "a list of at least one schema");
    }
    List<Place> items = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      items.add(at(keyword, list).at(String.valueOf(i), list.get(i)));
    }
    return items;
  }

  /** A number of things, or {@code otherwise} where the keyword is not there. */
  int count(String keyword, int otherwise) {
    return switch (object().fields().get(keyword)) {
      case null -> otherwise;
      case Long n when n >= 0 && n <= Integer.MAX_VALUE - 1 -> n.intValue();
      default -> throw wrong(keyword, "a number of 0 or more");
    };
  }

  /** Refuses a keyword together with others that say what is valid, but for the allowed ones. */
  void requireAlone(String keyword, String... allowed) {
    for (String other : object().fields().keySet()) {
      if (!other.equals(keyword)
          && !Arrays.asList(allowed).contains(other)
          && !Keywords.isAnnotation(other)) {
        throw error(other, "is not supported together with " + keyword);
      }
    }
  }

  /** The error for a keyword whose value is not as it should be. */
  InputException wrong(String keyword, String expected) {
    return error(
        keyword,
        "is %s, expected %s".formatted(Json.shown(object().fields().get(keyword)), expected));
  }

  /** The error for a keyword. */
  InputException error(String keyword, String what) {
    return at(keyword, null).error(what);
  }

  /** The error for this. */
  InputException error(String what) {
    return new InputException(
        "%s: %s %s".formatted(whole.origin(), Printable.line(pointer(), LONGEST_NAME), what));
  }
}
