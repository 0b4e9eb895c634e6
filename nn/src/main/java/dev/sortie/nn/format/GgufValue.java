package dev.sortie.nn.format;

import static dev.sortie.nn.format.GgufCursor.F32;
import static dev.sortie.nn.format.GgufCursor.I32;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One metadata value of a GGUF file. */
public sealed interface GgufValue {
  /** The type it has in the file. */
  GgufType type();

  /**
   * An integer.
   *
   * @param value its value; of {@link GgufType#UINT64} the bits, so that a negative one is huge
   */
  record Whole(GgufType type, long value) implements GgufValue {
    @Override
    public String toString() {
      return type == GgufType.UINT64 ? Long.toUnsignedString(value) : Long.toString(value);
    }
  }

  /** A float of 32 or 64 bits, widened. */
  record Real(GgufType type, double value) implements GgufValue {
    /**
     * The value as it was meant: a 32-bit float stands for the shortest decimal that rounds to it,
     * so that 1e-5 is the same here and in a JSON configuration.
     */
    public double decimal() {
      return type == GgufType.FLOAT32 ? Double.parseDouble(Float.toString((float) value)) : value;
    }

    @Override
    public String toString() {
      return Double.toString(decimal());
    }
  }

  /** True or false. */
  record Flag(boolean value) implements GgufValue {
    @Override
    public GgufType type() {
      return GgufType.BOOL;
    }

    @Override
    public String toString() {
      return Boolean.toString(value);
    }
  }

  /** A string. */
  record Text(String value) implements GgufValue {
    @Override
    public GgufType type() {
      return GgufType.STRING;
    }

    @Override
    public String toString() {
      return value;
    }
  }

  /**
   * A list, left as bytes until it is asked for: a file of many lists takes no memory.
   *
   * @param elements type of all its elements, not {@link GgufType#ARRAY}
   * @param count number of elements
   * @param bytes the elements, as they are in the file; checked
   */
  record Array(GgufType elements, int count, MemorySegment bytes) implements GgufValue {
    @Override
    public GgufType type() {
      return GgufType.ARRAY;
    }

    /** A list of strings. */
    public static Array of(List<String> strings) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      for (String s : strings) {
        byte[] utf8 = s.getBytes(StandardCharsets.UTF_8);
        ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        out.writeBytes(length.putLong(utf8.length).array());
        out.writeBytes(utf8);
      }
      return new Array(GgufType.STRING, strings.size(), MemorySegment.ofArray(out.toByteArray()));
    }

    /** A list of 32-bit floats. */
    public static Array of(float... values) {
      MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
      for (int i = 0; i < values.length; i++) {
        bytes.set(F32, 4L * i, values[i]);
      }
      return new Array(GgufType.FLOAT32, values.length, bytes);
    }

    /** A list of 32-bit integers. */
    public static Array of(int... values) {
      MemorySegment bytes = MemorySegment.ofArray(new byte[4 * values.length]);
      for (int i = 0; i < values.length; i++) {
        bytes.set(I32, 4L * i, values[i]);
      }
      return new Array(GgufType.INT32, values.length, bytes);
    }

    /** The elements of a list of strings. */
    public Utf8Strings strings() {
      require(GgufType.STRING);
      return new Utf8Strings(count, bytes.toArray(JAVA_BYTE));
    }

    /** The elements of a list of 32-bit floats. */
    public float[] floats() {
      require(GgufType.FLOAT32);
      return bytes.toArray(F32);
    }

    /** The elements of a list of signed 32-bit integers. */
    public int[] ints() {
      require(GgufType.INT32);
      return bytes.toArray(I32);
    }

    @Override
    public String toString() {
      return "a list of " + count + " " + elements;
    }

    private void require(GgufType wanted) {
      if (elements != wanted) {
        throw new IllegalStateException("asked for " + wanted + " of " + this);
      }
    }
  }
}
