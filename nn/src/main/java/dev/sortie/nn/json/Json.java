package dev.sortie.nn.json;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.NamedInput;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Small strict JSON: RFC 8259 in UTF-8, no duplicate fields, nothing after the document, limits on
 * size and depth. Objects are {@link JsonObject}, lists {@link List}, numbers {@link Long}, {@link
 * java.math.BigInteger} or finite {@link Double}. Every failure is an {@link InputException} that
 * names the file.
 */
public final class Json {
  private Json() {}

  /** The object in a regular file, within {@link JsonLimits#CONFIG}. */
  public static JsonObject read(Path file) {
    return read(file, JsonLimits.CONFIG);
  }

  /** The object in a regular file. */
  public static JsonObject read(Path file, JsonLimits limits) {
    return object(file.toString(), tree(InputFiles.readAll(file, limits.maxBytes()), file, limits));
  }

  /** The object in whatever {@link NamedInput} reads, within {@link JsonLimits#CONFIG}. */
  public static JsonObject readNamed(Path named) {
    return object(NamedInput.name(named), namedTree(named, JsonLimits.CONFIG));
  }

  /** The list of objects in whatever {@link NamedInput} reads, such as chat messages. */
  public static List<JsonObject> readObjects(Path named, JsonLimits limits) {
    String origin = NamedInput.name(named);
    if (namedTree(named, limits) instanceof List<?> list) {
      return list.stream().map(item -> object(origin, item)).toList();
    }
    throw new InputException(origin + ": the document is not a list, expected a list of objects");
  }

  /** The object in a text; {@code origin} names it in messages, such as "data.jsonl line 3". */
  public static JsonObject parse(String origin, String text, JsonLimits limits) {
    return object(origin, tree(text.toCharArray(), origin, limits));
  }

  /**
   * The object in a text that a model wrote, in whose objects names may repeat; the last value of
   * such a name counts.
   */
  public static JsonObject parseRepeating(String origin, String text, JsonLimits limits) {
    return object(origin, JsonCursor.readRepeating(text, origin, limits, json -> json.tree("")));
  }

  /**
   * A value as indented JSON with a final newline. Maps keep their order, so equal values give
   * equal text.
   *
   * @param value maps with string keys, iterables, strings, booleans, finite numbers, null
   */
  public static String pretty(Object value) {
    return JsonPrinter.print(value, JsonPrinter.INDENTED) + "\n";
  }

  /** A value as JSON on one line, without a newline. */
  public static String compact(Object value) {
    return JsonPrinter.print(value, JsonPrinter.LINE);
  }

  /** Writes {@link #pretty} atomically. */
  public static void write(Path file, Map<String, ?> value) {
    AtomicFiles.write(file, utf8(file.toString(), pretty(value)));
  }

  /** Writes a value atomically with spaces on both sides of a colon and no final newline. */
  public static void writeSpaced(Path file, Map<String, ?> value) {
    AtomicFiles.write(file, utf8(file.toString(), JsonPrinter.print(value, JsonPrinter.SPACED)));
  }

  /** An object to print: names and values in turn, in this order. */
  public static Map<String, Object> object(Object... namesAndValues) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return object;
  }

  /** A value of the tree, made fit for a one-line message. */
  public static String shown(Object value) {
    return value instanceof JsonObject ? "an object" : Printable.value(value);
  }

  private static Object namedTree(Path named, JsonLimits limits) {
    return tree(NamedInput.read(named, limits.maxBytes()), named, limits);
  }

  private static Object tree(byte[] bytes, Path file, JsonLimits limits) {
    String origin = NamedInput.name(file);
    return tree(utf8(origin, bytes), origin, limits);
  }

  private static Object tree(char[] text, String origin, JsonLimits limits) {
    return JsonCursor.read(text, origin, limits, json -> json.tree(""));
  }

  private static JsonObject object(String origin, Object value) {
    if (value instanceof JsonObject object) {
      return object;
    }
    throw new InputException(origin + ": found " + shown(value) + ", expected a JSON object");
  }

  /** Strict decoding: a lenient one would let two different files look alike. */
  public static char[] utf8(String origin, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      CharBuffer chars =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(in);
      char[] text = new char[chars.remaining()];
      chars.get(text);
      return text;
    } catch (CharacterCodingException e) {
      throw new InputException(
          "%s: byte %d of the JSON is not valid UTF-8; save the file as UTF-8"
              .formatted(origin, in.position()),
          e);
    }
  }

  /** Strict encoding: an unpaired surrogate would silently become a question mark. */
  public static byte[] utf8(String origin, String text) {
    try {
      ByteBuffer out = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      byte[] bytes = new byte[out.remaining()];
      out.get(bytes);
      return bytes;
    } catch (CharacterCodingException e) {
      throw new InputException(
          origin + ": cannot be written: a text has an unpaired surrogate; correct the text", e);
    }
  }
}
