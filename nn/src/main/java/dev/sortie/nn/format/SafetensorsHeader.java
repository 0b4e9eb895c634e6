package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonCursor;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;

/**
 * The JSON header of a safetensors file, checked in full before any data is touched.
 *
 * <pre>
 *   0        8               8+N                       file size
 *   +--------+---------------+--------------------------+
 *   | N, u64 | JSON, spaces  | data: no hole, no overlap |
 *   +--------+---------------+--------------------------+
 * </pre>
 *
 * @param tensors in the order of the header
 * @param buffers tensors of a type that no weight has, which the caller can do without
 * @param metadata the strings of {@code __metadata__}
 */
record SafetensorsHeader(
    SequencedMap<String, TensorInfo> tensors,
    List<Region> buffers,
    SequencedMap<String, String> metadata) {
  /** Where the data of a tensor lies, from the start of the file. */
  record Region(String name, long offset, long bytes) {}

  /** Types that this engine has not, with the bytes of an element. */
  private static final Map<String, Integer> FOREIGN =
      Map.of("BOOL", 1, "U8", 1, "I8", 1, "I16", 2, "U16", 2, "U32", 4, "I64", 8, "U64", 8);

  /** The types that the format shares with us. */
  private static final List<DType> TYPES =
      Arrays.stream(DType.values()).filter(t -> !t.isQuantised()).toList();

  static final String METADATA = "__metadata__";
  static final int LENGTH_BYTES = 8;
  static final int MAX_BYTES = 100_000_000;

  /** An entry nests three deep; strings are bounded by the header itself. */
  private static final JsonLimits LIMITS = new JsonLimits(MAX_BYTES, 3, MAX_BYTES);

  static final int MAX_TENSORS = 1 << 17;
  static final int MAX_NAME = 1024;
  static final int MAX_RANK = 8;

  /** JSON readers that use doubles are exact up to here, so no honest file goes beyond. */
  static final long MAX_NUMBER = 1L << 53;

  SafetensorsHeader {
    tensors = Collections.unmodifiableSequencedMap(tensors);
    buffers = List.copyOf(buffers);
    metadata = Collections.unmodifiableSequencedMap(metadata);
  }

  /**
   * Parses the N bytes after the length.
   *
   * @param file names the file in messages
   * @param json the N bytes
   * @param dataBytes bytes of the file after the header
   * @param isBuffer names of tensors that may be of any type, for they are not read
   */
  static SafetensorsHeader parse(
      Path file, byte[] json, long dataBytes, Predicate<String> isBuffer) {
    if (json[0] != '{') {
      throw new InputException(
          "%s: header starts with byte 0x%02x, expected 0x7b ('{'); is this a safetensors file?"
              .formatted(file, json[0]));
    }
    char[] text = Json.utf8(file.toString(), json);
    long dataStart = LENGTH_BYTES + (long) json.length;
    return JsonCursor.readPrefix(
        text,
        file.toString(),
        LIMITS,
        cursor -> {
          SafetensorsHeader header = new Parser(file, cursor, dataStart, isBuffer).root();
          checkPadding(file, text, cursor.offset());
          checkLayout(file, header.regions(), dataStart, dataBytes);
          return header;
        });
  }

  /** Why a tensor may not have this name, or {@code null} if it may. */
  static String nameFault(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) {
      return "has %d characters, expected 1 to %d".formatted(name.length(), MAX_NAME);
    }
    if (name.equals(METADATA)) {
      return "is reserved";
    }
    return name.codePoints().anyMatch(c -> Character.isISOControl(c) || isSurrogate(c))
        ? "has a control character or unpaired surrogate"
        : null;
  }

  /** The types this engine stores, for messages. */
  static String supported() {
    return TYPES.toString();
  }

  /** Where all data lies. */
  private List<Region> regions() {
    List<Region> all = new ArrayList<>(buffers);
    tensors.values().forEach(t -> all.add(new Region(t.name(), t.offset(), t.bytes())));
    return all;
  }

  private static boolean isSurrogate(int codePoint) {
    return Character.getType(codePoint) == Character.SURROGATE;
  }

  private static void checkPadding(Path file, char[] text, int end) {
    for (int i = end; i < text.length; i++) {
      if (text[i] != ' ') {
        throw new InputException(
            "%s: header has character 0x%02x after its JSON, expected only spaces (0x20)"
                .formatted(file, (int) text[i]));
      }
    }
  }

  /** Data must be covered exactly once: a hole or overlap could hide a second file in this one. */
  private static void checkLayout(Path file, List<Region> regions, long dataStart, long dataBytes) {
    List<Region> sorted = new ArrayList<>(regions);
    sorted.sort(
        (a, b) -> {
          int byBegin = Long.compare(a.offset(), b.offset());
          return byBegin != 0 ? byBegin : Long.compare(a.bytes(), b.bytes());
        });
    long end = 0;
    for (Region t : sorted) {
      long begin = t.offset() - dataStart;
      if (begin != end) {
        throw new InputException(
            "%s: tensor %s: data_offsets begin at %d, expected %d where the data before it ends: %s"
                .formatted(
                    file, Printable.value(t.name()), begin, end, begin < end ? "overlap" : "hole"));
      }
      end += t.bytes();
    }
    if (end != dataBytes) {
      throw new InputException(
          "%s: data_offsets end at %d, the file has %d bytes of data; fetch it again"
              .formatted(file, end, dataBytes));
    }
  }

  /** One pass over the tokens. */
  private record Parser(Path file, JsonCursor json, long dataStart, Predicate<String> isBuffer) {
    SafetensorsHeader root() {
      SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
      List<Region> buffers = new ArrayList<>();
      SequencedMap<String, String> metadata = new LinkedHashMap<>();
      while (json.nextField()) {
        String name = json.name();
        if (name.equals(METADATA)) {
          metadata = metadata();
          continue;
        }
        String fault = nameFault(name);
        if (fault != null) {
          throw new InputException(
              "%s: tensor name %s %s".formatted(file, Printable.value(name), fault));
        }
        if (tensors.size() + buffers.size() == MAX_TENSORS) {
          throw new InputException(
              "%s: has more than %d tensors, which is the limit".formatted(file, MAX_TENSORS));
        }
        tensor(name, tensors, buffers);
      }
      return new SafetensorsHeader(tensors, buffers, metadata);
    }

    private SequencedMap<String, String> metadata() {
      if (!json.isObject()) {
        throw wrong("field " + METADATA, "an object of strings");
      }
      SequencedMap<String, String> metadata = new LinkedHashMap<>();
      while (json.nextField()) {
        String key = json.name();
        if (!json.isString()) {
          throw wrong("field " + METADATA + "." + Printable.line(key), "a string");
        }
        metadata.put(key, json.text());
      }
      return metadata;
    }

    private void tensor(
        String name, SequencedMap<String, TensorInfo> tensors, List<Region> buffers) {
      String where = "tensor " + Printable.value(name);
      if (!json.isObject()) {
        throw wrong(where, "an object with dtype, shape, data_offsets");
      }
      DType dtype = null;
      int foreign = 0;
      List<Long> shape = null;
      List<Long> offsets = null;
      while (json.nextField()) {
        String field = json.name();
        String at = where + ": field \"" + Printable.line(field) + '"';
        switch (field) {
          case "dtype" -> {
            foreign = isBuffer.test(name) ? FOREIGN.getOrDefault(json.text(), 0) : 0;
            dtype = foreign == 0 ? dtype(at) : DType.I32;
          }
          case "shape" -> shape = numbers(at, MAX_RANK);
          case "data_offsets" -> offsets = numbers(at, 2);
          default ->
              throw new InputException(
                  "%s: %s is unknown, allowed are dtype, shape, data_offsets".formatted(file, at));
        }
      }
      require(where, "dtype", dtype);
      require(where, "shape", shape);
      require(where, "data_offsets", offsets);
      if (foreign == 0) {
        tensors.put(name, tensor(where, name, dtype, shape, offsets));
      } else {
        buffers.add(buffer(where, name, foreign, shape, offsets));
      }
    }

    private Region buffer(
        String where, String name, int elementBytes, List<Long> shape, List<Long> offsets) {
      checkOffsets(where, offsets);
      long span = offsets.get(1) - offsets.get(0);
      long needed;
      try {
        needed = Math.multiplyExact(elementBytes, TensorInfo.elements(shape));
      } catch (ArithmeticException e) {
        throw new InputException(
            "%s: %s: field \"shape\" is %s, more than %d bytes"
                .formatted(file, where, shape, Long.MAX_VALUE),
            e);
      }
      if (span != needed) {
        throw new InputException(
            "%s: %s: data_offsets %s span %d bytes, shape %s needs %d"
                .formatted(file, where, offsets, span, shape, needed));
      }
      return new Region(name, Math.addExact(dataStart, offsets.get(0)), span);
    }

    private void checkOffsets(String where, List<Long> offsets) {
      if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
        throw new InputException(
            "%s: %s: field \"data_offsets\" is %s, expected [begin, end] with begin <= end"
                .formatted(file, where, offsets));
      }
    }

    private TensorInfo tensor(
        String where, String name, DType dtype, List<Long> shape, List<Long> offsets) {
      checkOffsets(where, offsets);
      TensorInfo info;
      try {
        info = new TensorInfo(name, dtype, shape, file, Math.addExact(dataStart, offsets.get(0)));
      } catch (ArithmeticException e) {
        throw new InputException(
            "%s: %s: field \"shape\" is %s, more than %d bytes of %s"
                .formatted(file, where, shape, Long.MAX_VALUE, dtype),
            e);
      }
      long span = offsets.get(1) - offsets.get(0);
      if (span != info.bytes()) {
        throw new InputException(
            "%s: %s: data_offsets %s span %d bytes, %s of shape %s needs %d"
                .formatted(file, where, offsets, span, dtype, shape, info.bytes()));
      }
      return info;
    }

    private DType dtype(String at) {
      if (json.isString()) {
        for (DType dtype : TYPES) {
          if (dtype.name().equals(json.text())) {
            return dtype;
          }
        }
      }
      throw wrong(at, "one of " + supported());
    }

    private List<Long> numbers(String at, int most) {
      if (!json.isList()) {
        throw wrong(at, "a list of integers");
      }
      List<Long> numbers = new ArrayList<>();
      while (json.nextItem()) {
        if (numbers.size() == most) {
          throw new InputException("%s: %s has more than %d numbers".formatted(file, at, most));
        }
        // Read from the text: 1e3, 1.0 and -0 are numbers of JSON but not sizes.
        String text = json.isInteger() ? json.text() : "";
        if (text.isEmpty()
            || text.length() > 16
            || text.startsWith("-")
            || Long.parseLong(text) > MAX_NUMBER) {
          throw wrong(at + ", item " + numbers.size() + ",", "an integer from 0 to " + MAX_NUMBER);
        }
        numbers.add(Long.parseLong(text));
      }
      return List.copyOf(numbers);
    }

    private void require(String where, String field, Object value) {
      if (value == null) {
        throw new InputException(
            "%s: %s: field \"%s\" is missing, expected dtype, shape, data_offsets"
                .formatted(file, where, field));
      }
    }

    private InputException wrong(String where, String expected) {
      return new InputException(
          "%s: %s is %s, expected %s".formatted(file, where, json.shown(), expected));
    }
  }
}
