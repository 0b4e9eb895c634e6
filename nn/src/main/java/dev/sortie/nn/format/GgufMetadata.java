package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.nio.file.Path;
import java.util.Collections;
import java.util.OptionalInt;
import java.util.SequencedMap;

/**
 * The key-value pairs of a GGUF file. The getters check type and range, for a value that is used as
 * a size or an index later is as dangerous as a wrong length in the container.
 *
 * @param file the file, for messages
 * @param values by key, in the order of the file
 */
public record GgufMetadata(Path file, SequencedMap<String, GgufValue> values) {
  /** The key of the alignment of tensors, which a writer sets by itself. */
  public static final String ALIGNMENT = "general.alignment";

  /** Keeps a view that cannot be changed. */
  public GgufMetadata {
    values = Collections.unmodifiableSequencedMap(values);
  }

  /** Whether the key is there. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** A string. */
  public String getString(String key) {
    return get(key, "a string") instanceof GgufValue.Text(String text)
        ? text
        : refuse(key, "a string");
  }

  /** A string, or {@code otherwise} where the key is absent. */
  public String getString(String key, String otherwise) {
    return has(key) ? getString(key) : otherwise;
  }

  /** An integer of any width from {@code low} to {@code high}; {@code low} is 0 or more. */
  public int getInt(String key, int low, int high) {
    String expected = "an integer from " + low + " to " + high;
    return get(key, expected) instanceof GgufValue.Whole(GgufType _, long value)
            && value >= low
            && value <= high
        ? (int) value
        : refuse(key, expected);
  }

  /** The same, or {@code otherwise} where the key is absent. */
  public int getInt(String key, int low, int high, int otherwise) {
    return has(key) ? getInt(key, low, high) : otherwise;
  }

  /** The same, or nothing where the key is absent. */
  public OptionalInt findInt(String key, int low, int high) {
    return has(key) ? OptionalInt.of(getInt(key, low, high)) : OptionalInt.empty();
  }

  /** A finite number strictly between {@code low} and {@code high}. */
  public double getDouble(String key, double low, double high) {
    String expected = "a number between " + low + " and " + high;
    if (get(key, expected) instanceof GgufValue.Real real
        && real.decimal() > low
        && real.decimal() < high) {
      return real.decimal();
    }
    return refuse(key, expected);
  }

  /** The same, or {@code otherwise} where the key is absent. */
  public double getDouble(String key, double low, double high, double otherwise) {
    return has(key) ? getDouble(key, low, high) : otherwise;
  }

  /** A boolean, or {@code otherwise} where the key is absent. */
  public boolean getBoolean(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    return get(key, "a boolean") instanceof GgufValue.Flag(boolean flag)
        ? flag
        : refuse(key, "a boolean");
  }

  /** A list of at most {@code most} strings. */
  public Utf8Strings getStrings(String key, int most) {
    return list(key, GgufType.STRING, 0, most).strings();
  }

  /** A list of exactly {@code count} 32-bit floats. */
  public float[] getFloats(String key, int count) {
    return list(key, GgufType.FLOAT32, count, count).floats();
  }

  /** A list of exactly {@code count} signed 32-bit integers. */
  public int[] getInts(String key, int count) {
    return list(key, GgufType.INT32, count, count).ints();
  }

  /** What is wrong with a value, to be thrown. */
  public InputException error(String key, String expected) {
    GgufValue value = values.get(key);
    String found =
        switch (value) {
          case null -> "is missing";
          case GgufValue.Text(String text) -> "is " + Printable.value(text);
          default -> "is " + value + (value instanceof GgufValue.Array ? "" : " " + value.type());
        };
    return new InputException(
        "%s: metadata %s %s, expected %s".formatted(file, Printable.line(key), found, expected));
  }

  private GgufValue.Array list(String key, GgufType elements, int least, int most) {
    String expected =
        "a list of %s %s"
            .formatted(least == most ? Integer.toString(most) : "at most " + most, elements);
    if (get(key, expected) instanceof GgufValue.Array array
        && array.elements() == elements
        && array.count() >= least
        && array.count() <= most) {
      return array;
    }
    return refuse(key, expected);
  }

  private GgufValue get(String key, String expected) {
    GgufValue value = values.get(key);
    if (value == null) {
      throw error(key, expected);
    }
    return value;
  }

  private <T> T refuse(String key, String expected) {
    throw error(key, expected);
  }
}
