package dev.sortie.nn.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.InputFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Function;

/**
 * The place in a strict JSON document that may be hostile. Tables that are too large for a tree are
 * read field by field and item by item; {@link #value} gives what is small as a tree. Every failure
 * is an {@link InputException} of one line that names the document.
 */
public final class JsonCursor {
  private static final int LONGEST_NUMBER = 64;

  /** More than messages show. */
  private static final int LONGEST_PATH = 200;

  private final String origin;
  private final JsonParser parser;
  private final int maxValues;

  private JsonCursor(String origin, JsonParser parser, JsonLimits limits) {
    this.origin = origin;
    this.parser = parser;
    this.maxValues = limits.maxValues();
  }

  private interface Source {
    JsonParser open(JsonFactory factory) throws IOException;
  }

  /** Reads a regular file from its first to its last byte without holding all of it. */
  public static <T> T read(Path file, JsonLimits limits, Function<JsonCursor, T> reading) {
    InputFiles.requireRegular(file);
    try (InputStream in = Files.newInputStream(file)) {
      long size = Files.size(file);
      if (size > limits.maxBytes()) {
        throw new InputException(
            file
                + ": "
                + size
                + " bytes, more than the limit of "
                + limits.maxBytes()
                + " for JSON");
      }
      return read(in, file.toString(), limits, reading);
    } catch (IOException e) {
      throw InputFiles.cannotRead(file, e);
    }
  }

  /** Reads a stream to its end without closing it; {@code origin} names it in messages. */
  public static <T> T read(
      InputStream in, String origin, JsonLimits limits, Function<JsonCursor, T> reading) {
    return read(origin, factory(limits), limits, f -> f.createParser(in), complete(reading));
  }

  /** Reads a text; {@code origin} names it in messages. */
  static <T> T read(
      char[] text, String origin, JsonLimits limits, Function<JsonCursor, T> reading) {
    return readPrefix(text, origin, limits, complete(reading));
  }

  /**
   * Reads a text in whose objects names may repeat, which RFC 8259 leaves open. A tree has the last
   * value of such a name, as in Python and JavaScript.
   */
  public static <T> T readRepeating(
      String text, String origin, JsonLimits limits, Function<JsonCursor, T> reading) {
    requireShort(text.length(), origin, limits);
    JsonFactory factory =
        factory(limits).rebuild().disable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
    return read(
        origin, factory, limits, f -> f.createParser(text.toCharArray()), complete(reading));
  }

  /** Reads a value that {@code text} begins with; {@link #offset} says where it ends. */
  public static <T> T readPrefix(
      char[] text, String origin, JsonLimits limits, Function<JsonCursor, T> reading) {
    requireShort(text.length, origin, limits);
    return read(origin, factory(limits), limits, f -> f.createParser(text), reading);
  }

  private static void requireShort(int length, String origin, JsonLimits limits) {
    if (length > limits.maxBytes()) {
      throw new InputException(
          "%s: has %d characters of JSON, at most %d are allowed"
              .formatted(origin, length, limits.maxBytes()));
    }
  }

  private static <T> T read(
      String origin,
      JsonFactory factory,
      JsonLimits limits,
      Source source,
      Function<JsonCursor, T> reading) {
    try (JsonParser parser = source.open(factory)) {
      JsonCursor cursor = new JsonCursor(origin, parser, limits);
      cursor.next();
      return reading.apply(cursor);
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  private static <T> Function<JsonCursor, T> complete(Function<JsonCursor, T> reading) {
    return cursor -> {
      T result = reading.apply(cursor);
      if (cursor.next() != null) {
        throw new InputException(
            "%s: %s after the end of the document; keep one document in the file"
                .formatted(cursor.origin, Printable.value(cursor.text())));
      }
      return result;
    };
  }

  /**
   * Names are neither interned nor kept in a table: a hostile file could fill it, and the names of
   * a vocabulary come once each.
   */
  private static JsonFactory factory(JsonLimits limits) {
    return JsonFactory.builder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxDocumentLength(limits.maxBytes())
                .maxNestingDepth(limits.maxDepth())
                .maxStringLength(limits.maxString())
                .maxNameLength(limits.maxString())
                .maxNumberLength(LONGEST_NUMBER)
                .build())
        .build();
  }

  /** Jackson's complaint as one line with the place. */
  private static InputException failure(String origin, IOException e) {
    if (!(e instanceof JsonProcessingException json)) {
      return new InputException(origin + ": cannot be read: " + InputFiles.reason(e), e);
    }
    JsonLocation at = json.getLocation();
    String place =
        at == null ? "" : "line %d, column %d: ".formatted(at.getLineNr(), at.getColumnNr());
    // where an object began, Jackson tells with what it does not know of the source
    String reason =
        String.valueOf(json.getOriginalMessage())
            .replaceAll(" \\(start marker at [^)]*\\)[^)]*\\)", "");
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < Math.min(reason.length(), 200); i++) {
      char c = reason.charAt(i);
      line.append(Character.isISOControl(c) || Character.isSurrogate(c) ? ' ' : c);
    }
    return new InputException(
        "%s: not strict JSON: %s%s; correct it".formatted(origin, place, line), e);
  }

  private JsonToken next() {
    try {
      return parser.nextToken();
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  /** Whether an object begins here. */
  public boolean isObject() {
    return parser.currentToken() == JsonToken.START_OBJECT;
  }

  /** Whether a list begins here. */
  public boolean isList() {
    return parser.currentToken() == JsonToken.START_ARRAY;
  }

  /** Whether a string is here. */
  public boolean isString() {
    return parser.currentToken() == JsonToken.VALUE_STRING;
  }

  /** Whether null is here. */
  public boolean isNull() {
    return parser.currentToken() == JsonToken.VALUE_NULL;
  }

  /** Whether a number without fraction and exponent is here. */
  public boolean isInteger() {
    return parser.currentToken() == JsonToken.VALUE_NUMBER_INT;
  }

  /** Moves to the value of the object's next field; false at the end of the object. */
  public boolean nextField() {
    if (next() != JsonToken.FIELD_NAME) {
      return false;
    }
    next();
    return true;
  }

  /** Moves to the list's next item; false at the end of the list. */
  public boolean nextItem() {
    return next() != JsonToken.END_ARRAY;
  }

  /** Moves to the end of the value here, without a tree of it. */
  public void skip() {
    try {
      parser.skipChildren();
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  /** The name of the field here. */
  public String name() {
    try {
      return parser.currentName();
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  /** The string here, or what else is here as it is written. */
  public String text() {
    try {
      return parser.getText();
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  /** The integer here, or {@code otherwise} where something else is, such as a fraction. */
  public long integer(long otherwise) {
    try {
      return isInteger() ? parser.getLongValue() : otherwise;
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  /** What is here, made fit for a message. */
  public String shown() {
    return isObject()
        ? "an object"
        : isList() ? "a list" : isString() ? Printable.value(text()) : Printable.line(text());
  }

  /** The character after what was read last. */
  public int offset() {
    return (int) parser.currentLocation().getCharOffset();
  }

  /** The value here as a tree; {@code path} names its place in messages. */
  public JsonValue value(String path) {
    Object tree = tree(path);
    return new JsonValue(origin, path, tree == null ? JsonValue.NULL : tree);
  }

  /** The value here: see {@link Json}. */
  Object tree(String path) {
    try {
      return new Tree().value(path, "");
    } catch (IOException e) {
      throw failure(origin, e);
    }
  }

  /** Builds a tree. Recursion is bounded by the depth limit of the parser. */
  private final class Tree {
    private int values;

    /** The value whose path is {@code parent} and {@code step}, joined only where it is needed. */
    Object value(String parent, String step) throws IOException {
      if (++values > maxValues) {
        throw new InputException(origin + ": more than " + maxValues + " JSON values");
      }
      JsonToken token = parser.currentToken();
      return switch (token) {
        case null -> throw new InputException(origin + ": is empty, expected a JSON document");
        case START_OBJECT -> object(place(parent, step));
        case START_ARRAY -> list(place(parent, step));
        case VALUE_STRING -> parser.getText();
        case VALUE_NUMBER_INT -> integer();
        case VALUE_NUMBER_FLOAT -> real(parent + step);
        case VALUE_TRUE -> true;
        case VALUE_FALSE -> false;
        case VALUE_NULL -> null;
        default -> throw new InputException(origin + ": unexpected " + token + " in JSON");
      };
    }

    /** Objects keep theirs, so a long name on the way to many of them must not be in each. */
    private static String place(String parent, String step) {
      String path = parent + step;
      return path.length() <= LONGEST_PATH ? path : path.substring(0, LONGEST_PATH);
    }

    private JsonObject object(String path) throws IOException {
      SequencedMap<String, Object> fields = new LinkedHashMap<>();
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        parser.nextToken();
        fields.put(name, value(path.isEmpty() ? "" : path + ".", name));
      }
      return new JsonObject(origin, path, fields);
    }

    private List<Object> list(String path) throws IOException {
      List<Object> items = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        items.add(value(path, "[" + items.size() + "]"));
      }
      return Collections.unmodifiableList(items);
    }

    private Number integer() throws IOException {
      Number number = parser.getNumberValue();
      return number instanceof Integer i ? Long.valueOf(i) : number;
    }

    private Double real(String path) throws IOException {
      double number = parser.getDoubleValue();
      if (Double.isInfinite(number)) {
        throw new InputException(
            "%s: field \"%s\" is %s, beyond the largest double %s"
                .formatted(
                    origin,
                    Printable.line(path),
                    Printable.line(parser.getText()),
                    Double.MAX_VALUE));
      }
      return number;
    }
  }
}
