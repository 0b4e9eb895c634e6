package dev.sortie.nn.format;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.tensor.dtype.DType;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * The header of a GGUF file, checked in full before any data is touched.
 *
 * <pre>
 *   "GGUF"  version u32  tensors u64  pairs u64
 *   pairs:    key string, value type u32, value
 *   tensors:  name string, rank u32, dims u64 (innermost first), type u32, offset u64
 *   zeros up to a multiple of the alignment, then the data: each tensor padded to the alignment
 * </pre>
 *
 * @param metadata the pairs
 * @param tensors in the order of the file, which is the order of their data
 * @param alignment of the data, in bytes
 * @param dataStart first byte of the data
 * @param dataEnd the byte after the last tensor's last one, without padding
 */
record GgufHeader(
    GgufMetadata metadata,
    SequencedMap<String, TensorInfo> tensors,
    int alignment,
    long dataStart,
    long dataEnd) {
  static final int DEFAULT_ALIGNMENT = 32;
  static final int MAX_ALIGNMENT = 1 << 20;

  /** ggml keeps names in 64 bytes with a zero at the end. */
  static final int MAX_NAME = 63;

  static final int MAX_RANK = 4;
  static final int MAX_KEY = 65_535;

  /** Chat templates, the longest strings in real files, have some ten thousand bytes. */
  static final int MAX_STRING = 1 << 24;

  static final int MAX_TENSORS = 1 << 17;
  static final int MAX_PAIRS = 1 << 16;
  static final int MAX_LIST = 1 << 23;

  /** Vocabularies of a million tokens with their merges have some 50 million bytes. */
  static final long MAX_BYTES = 1L << 28;

  private static final int FIXED_BYTES = 24;
  private static final int LEAST_PAIR = 8 + 1 + 4 + 1;
  private static final int LEAST_TENSOR = 8 + 1 + 4 + 8 + 4 + 8;

  GgufHeader {
    tensors = Collections.unmodifiableSequencedMap(tensors);
  }

  /** Parses the header of a file that is mapped as {@code bytes}. */
  static GgufHeader parse(Path file, MemorySegment bytes) {
    if (bytes.byteSize() < FIXED_BYTES) {
      throw new InputException(
          "%s: has %d bytes, a GGUF file has at least %d"
              .formatted(file, bytes.byteSize(), FIXED_BYTES));
    }
    return new Parser(file, bytes, new GgufCursor(file, bytes, MAX_BYTES)).header();
  }

  /** {@code bytes} rounded up to a multiple of a power of two. */
  static long padded(long bytes, int alignment) {
    return Math.addExact(bytes, alignment - 1) & -alignment;
  }

  /** One pass over the header. */
  private record Parser(Path file, MemorySegment bytes, GgufCursor in) {
    GgufHeader header() {
      magicAndVersion();
      long tensors = in.count("number of tensors", 0, MAX_TENSORS, in.remaining() / LEAST_TENSOR);
      long pairs = in.count("number of metadata pairs", 0, MAX_PAIRS, in.remaining() / LEAST_PAIR);
      GgufMetadata metadata = metadata(pairs);
      int alignment = alignment(metadata);
      List<Unplaced> list = new ArrayList<>();
      for (long i = 0; i < tensors; i++) {
        list.add(tensor(i));
      }
      long start = padded(in.at(), alignment);
      SequencedMap<String, TensorInfo> placed = new LinkedHashMap<>();
      long next = 0;
      long end = start;
      for (Unplaced t : list) {
        TensorInfo info = place(t, start, next, alignment);
        if (placed.putIfAbsent(t.name, info) != null) {
          throw in.error("tensor %s is there twice", Printable.value(t.name));
        }
        end = info.offset() + info.bytes();
        next = padded(end - start, alignment);
      }
      return new GgufHeader(metadata, placed, alignment, start, end);
    }

    private void magicAndVersion() {
      byte[] magic = in.take("magic", 4).toArray(JAVA_BYTE);
      String text = new String(magic, StandardCharsets.ISO_8859_1);
      if (!text.equals("GGUF")) {
        throw in.error(
            "begins with %s, expected \"GGUF\"; is this a GGUF file?", Printable.value(text));
      }
      int version = in.u32("version");
      if (version == 2 || version == 3) {
        return; // 3 allows big-endian files and is otherwise the same
      }
      if ((version & 0xffff) == 0 && version != 0) {
        throw in.error(
            "version is %d with its bytes swapped: a big-endian file, which is not supported;"
                + " fetch the little-endian one",
            Integer.reverseBytes(version));
      }
      throw in.error(
          "version is %s, expected 2 or 3; convert the model anew",
          Integer.toUnsignedString(version));
    }

    private GgufMetadata metadata(long pairs) {
      SequencedMap<String, GgufValue> values = new LinkedHashMap<>();
      for (long i = 0; i < pairs; i++) {
        String key = in.string("metadata key " + i, 1, MAX_KEY);
        if (key.chars().anyMatch(Character::isISOControl)) {
          throw in.error("metadata key %s has a control character", Printable.value(key));
        }
        if (values.putIfAbsent(key, value("metadata " + Printable.line(key))) != null) {
          throw in.error("metadata key %s is there twice", Printable.value(key));
        }
      }
      return new GgufMetadata(file, values);
    }

    private GgufType type(String what) {
      int number = in.u32("type of " + what);
      GgufType type = GgufType.of(number);
      if (type == null) {
        throw in.error(
            "%s has value type %s, expected 0 to %d",
            what, Integer.toUnsignedString(number), GgufType.values().length - 1);
      }
      return type;
    }

    private GgufValue value(String what) {
      GgufType type = type(what);
      if (type == GgufType.STRING) {
        return new GgufValue.Text(in.string(what, 0, MAX_STRING));
      }
      if (type == GgufType.ARRAY) {
        return list(what);
      }
      MemorySegment value = in.take(what, type.leastBytes());
      return switch (type) {
        case BOOL -> new GgufValue.Flag(bool(what, value.get(JAVA_BYTE, 0)));
        case FLOAT32 -> new GgufValue.Real(type, value.get(GgufCursor.F32, 0));
        case FLOAT64 -> new GgufValue.Real(type, value.get(GgufCursor.F64, 0));
        default -> new GgufValue.Whole(type, GgufCursor.whole(type, value, 0));
      };
    }

    private GgufValue list(String what) {
      GgufType type = type("elements of " + what);
      if (type == GgufType.ARRAY) {
        throw in.error("%s is a list of lists, which is not supported", what);
      }
      long room = (in.remaining() - Long.BYTES) / type.leastBytes();
      int count = (int) in.count("length of " + what, 0, MAX_LIST, room);
      if (type == GgufType.STRING) {
        long from = in.at();
        in.strings(what, count, MAX_STRING);
        return new GgufValue.Array(type, count, bytes.asSlice(from, in.at() - from));
      }
      MemorySegment elements = in.take(what, (long) count * type.leastBytes());
      if (type == GgufType.BOOL) {
        for (int i = 0; i < count; i++) {
          bool(what, elements.get(JAVA_BYTE, i));
        }
      }
      return new GgufValue.Array(type, count, elements);
    }

    private boolean bool(String what, byte value) {
      if (value != 0 && value != 1) {
        throw in.error("%s is %d, a boolean is 0 or 1", what, value & 0xff);
      }
      return value == 1;
    }

    private int alignment(GgufMetadata metadata) {
      if (!metadata.has(GgufMetadata.ALIGNMENT)) {
        return DEFAULT_ALIGNMENT;
      }
      boolean good =
          metadata.values().get(GgufMetadata.ALIGNMENT)
                  instanceof GgufValue.Whole(GgufType type, long value)
              && type == GgufType.UINT32
              && value <= MAX_ALIGNMENT
              && Long.bitCount(value) == 1;
      if (!good) {
        throw metadata.error(
            GgufMetadata.ALIGNMENT, "a UINT32 power of two up to " + MAX_ALIGNMENT);
      }
      return metadata.getInt(GgufMetadata.ALIGNMENT, 1, MAX_ALIGNMENT);
    }

    /** What the header says of a tensor; where its data begins is not known yet. */
    private record Unplaced(String name, DType dtype, List<Long> shape, long offset) {}

    private Unplaced tensor(long index) {
      String name = in.string("name of tensor " + index, 1, MAX_NAME);
      if (name.chars().anyMatch(Character::isISOControl)) {
        throw in.error("tensor name %s has a control character", Printable.value(name));
      }
      String where = "tensor " + Printable.value(name);
      int rank = in.u32("rank of " + where);
      if (rank < 1 || rank > MAX_RANK) {
        throw in.error(
            "%s has %s dims, expected 1 to %d", where, Integer.toUnsignedString(rank), MAX_RANK);
      }
      List<Long> shape = new ArrayList<>();
      for (int d = 0; d < rank; d++) {
        long dim = in.u64("dims of " + where);
        if (dim <= 0) {
          throw in.error(
              "%s: dim %d is %s, expected 1 to %d",
              where, d, Long.toUnsignedString(dim), Long.MAX_VALUE);
        }
        shape.addFirst(dim); // the file has the innermost first
      }
      DType dtype = dtype(where);
      if (shape.getLast() % dtype.block() != 0) {
        throw in.error(
            "%s: its rows of %d elements are no whole number of %s blocks of %d",
            where, shape.getLast(), dtype, dtype.block());
      }
      return new Unplaced(name, dtype, shape, in.u64("offset of " + where));
    }

    private DType dtype(String where) {
      int number = in.u32("type of " + where);
      GgmlType type = GgmlType.of(number);
      if (type == null || type.dtype() == null) {
        throw in.error(
            "%s has type %s%s, supported are %s",
            where,
            Integer.toUnsignedString(number),
            type == null ? "" : " (" + type + ")",
            GgmlType.supported());
      }
      return type.dtype();
    }

    /** Data must follow in order without a hole: bytes that no tensor covers could hide a file. */
    private TensorInfo place(Unplaced t, long start, long expected, int alignment) {
      String where = "tensor " + Printable.value(t.name);
      if (t.offset != expected) {
        throw in.error(
            "%s: offset is %s, expected %d%s",
            where,
            Long.toUnsignedString(t.offset),
            expected,
            t.offset % alignment != 0
                ? " (a multiple of the alignment " + alignment + ")"
                : " where the data before it ends");
      }
      try {
        TensorInfo info =
            new TensorInfo(t.name, t.dtype, t.shape, file, Math.addExact(start, t.offset));
        long end = Math.addExact(info.offset(), info.bytes());
        if (end > bytes.byteSize()) {
          throw in.error(
              "%s ends at byte %d, the file has %d; fetch it again", where, end, bytes.byteSize());
        }
        return info;
      } catch (ArithmeticException e) {
        throw in.error(
            "%s: shape %s is more than %d bytes of %s", where, t.shape, Long.MAX_VALUE, t.dtype);
      }
    }
  }
}
