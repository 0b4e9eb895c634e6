package dev.sortie.nn.format;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static dev.sortie.nn.format.FormatFixtures.entry;
import static dev.sortie.nn.format.FormatFixtures.file;
import static dev.sortie.nn.format.FormatFixtures.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each rule of the format has a file that breaks just that rule, and a message that says so. */
@Tag("any-kernels")
class SafetensorsRejectContractTest {
  private static final String A = entry("a", "F32", "[2]", "[0,8]");
  private static final String B = entry("b", "BF16", "[2,1]", "[8,12]");
  private static final byte[] VALID =
      file("{\"__metadata__\":{\"k\":\"v\"}," + A + "," + B + "}  ", 12);

  @TempDir Path folder;

  /** The reject list as data: bytes of the file, and what the message must say. */
  enum Corruption {
    HANDCRAFTED_FILE_TOO_SHORT(new byte[5], "has 5 bytes", "at least 8"),
    HANDCRAFTED_LENGTH_ZERO(
        file(0, "{}".getBytes(StandardCharsets.UTF_8), 0), "length is 0", "1 to 2"),
    HANDCRAFTED_LENGTH_BEYOND_FILE(
        file(3, "{}".getBytes(StandardCharsets.UTF_8), 0), "length is 3", "1 to 2"),
    HANDCRAFTED_LENGTH_NEGATIVE(
        file(-1, "{}".getBytes(StandardCharsets.UTF_8), 0),
        "length is 18446744073709551615",
        "1 to 2"),
    HANDCRAFTED_NOT_UTF8(file(3, new byte[] {'{', (byte) 0xc0, '}'}, 0), "byte 1", "UTF-8"),
    HANDCRAFTED_OVERLONG_UTF8(
        file(6, new byte[] {'{', '"', (byte) 0xc1, (byte) 0x81, '"', '}'}, 0), "byte 2", "UTF-8"),
    HANDCRAFTED_FIRST_BYTE("[]", 0, "byte 0x5b", "0x7b"),
    HANDCRAFTED_LEADING_SPACE(" {}", 0, "byte 0x20", "0x7b"),
    HANDCRAFTED_BYTE_ORDER_MARK("\ufeff{}", 0, "byte 0xef", "0x7b"),
    HANDCRAFTED_TRAILING_NEWLINE("{}\n", 0, "0x0a", "0x20"),
    HANDCRAFTED_TRAILING_NUL("{} \0", 0, "0x00", "0x20"),
    HANDCRAFTED_TRAILING_OBJECT("{}{}", 0, "0x7b", "0x20"),
    HANDCRAFTED_NOT_CLOSED("{" + A, 8, "not strict JSON", "line 1"),
    HANDCRAFTED_COMMENT("{/*x*/}", 0, "not strict JSON"),
    HANDCRAFTED_TRAILING_COMMA("{" + A + ",}", 8, "not strict JSON"),
    HANDCRAFTED_TOO_DEEP("{\"a\":{\"shape\":[[2]]}}", 0, "depth", "3"),
    HANDCRAFTED_DUPLICATE_TENSOR("{" + A + "," + A + "}", 8, "Duplicate", "'a'"),
    HANDCRAFTED_DUPLICATE_FIELD(
        "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        8,
        "Duplicate",
        "dtype"),
    HANDCRAFTED_DUPLICATE_METADATA(
        "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "Duplicate", "'k'"),
    HANDCRAFTED_DUPLICATE_BY_ESCAPE(
        "{" + A + "," + A.replace("\"a\"", "\"\\u0061\"") + "}", 8, "Duplicate", "'a'"),
    HANDCRAFTED_METADATA_NUMBER(
        "{\"__metadata__\":{\"k\":17}}", 0, "__metadata__.k", "17", "a string"),
    HANDCRAFTED_METADATA_NULL(
        "{\"__metadata__\":{\"k\":null}}", 0, "__metadata__.k", "null", "a string"),
    HANDCRAFTED_METADATA_LIST(
        "{\"__metadata__\":[\"k\"]}", 0, "__metadata__", "a list", "an object of strings"),
    HANDCRAFTED_TENSOR_NOT_OBJECT("{\"a\":5}", 0, "\"a\"", "5", "an object"),
    HANDCRAFTED_UNKNOWN_FIELD(
        "{" + A.replace("}", ",\"strides\":[1]}") + "}",
        8,
        "\"a\"",
        "\"strides\"",
        "dtype, shape, data_offsets"),
    HANDCRAFTED_NO_DTYPE(
        "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "\"a\"", "\"dtype\" is missing"),
    HANDCRAFTED_NO_SHAPE(
        "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "\"a\"", "\"shape\" is missing"),
    HANDCRAFTED_NO_OFFSETS(
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "\"a\"", "\"data_offsets\" is missing"),
    HANDCRAFTED_DTYPE_OTHER(
        "{" + entry("a", "I64", "[1]", "[0,8]") + "}", 8, "\"dtype\"", "\"I64\"", "F32", "BF16"),
    HANDCRAFTED_DTYPE_LOWER_CASE(
        "{" + entry("a", "f32", "[2]", "[0,8]") + "}", 8, "\"dtype\"", "\"f32\"", "F32"),
    HANDCRAFTED_DTYPE_NUMBER("{\"a\":{\"dtype\":4}}", 0, "\"dtype\"", "4", "F32"),
    HANDCRAFTED_SHAPE_NEGATIVE(
        "{" + entry("a", "F32", "[-2]", "[0,8]") + "}", 8, "\"shape\"", "-2", "from 0"),
    HANDCRAFTED_SHAPE_MINUS_ZERO(
        "{" + entry("a", "F32", "[-0]", "[0,0]") + "}", 0, "\"shape\"", "-0", "from 0"),
    HANDCRAFTED_SHAPE_FRACTION(
        "{" + entry("a", "F32", "[2.0]", "[0,8]") + "}", 8, "\"shape\"", "2.0", "an integer"),
    HANDCRAFTED_SHAPE_EXPONENT(
        "{" + entry("a", "F32", "[2e0]", "[0,8]") + "}", 8, "\"shape\"", "2e0", "an integer"),
    HANDCRAFTED_SHAPE_STRING(
        "{" + entry("a", "F32", "[\"2\"]", "[0,8]") + "}", 8, "\"shape\"", "\"2\"", "an integer"),
    HANDCRAFTED_SHAPE_NULL(
        "{" + entry("a", "F32", "[null]", "[0,8]") + "}", 8, "\"shape\"", "null", "an integer"),
    HANDCRAFTED_SHAPE_SCALAR(
        "{" + entry("a", "F32", "2", "[0,8]") + "}", 8, "\"shape\"", "2", "a list"),
    HANDCRAFTED_SHAPE_ABOVE_2_53(
        "{" + entry("a", "F32", "[0,9007199254740993]", "[0,0]") + "}",
        0,
        "9007199254740993",
        "9007199254740992"),
    HANDCRAFTED_SHAPE_ABOVE_LONG(
        "{" + entry("a", "F32", "[18446744073709551618]", "[0,8]") + "}",
        8,
        "18446744073709551618",
        "9007199254740992"),
    HANDCRAFTED_SHAPE_PRODUCT_OVERFLOW(
        "{" + entry("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}",
        0,
        "[4294967296, 4294967296]",
        "F32"),
    HANDCRAFTED_SHAPE_PRODUCT_OVERFLOW_THEN_ZERO(
        "{" + entry("a", "F32", "[4294967296,4294967296,0]", "[0,0]") + "}",
        0,
        "4294967296, 0]",
        "F32"),
    HANDCRAFTED_SHAPE_BYTES_OVERFLOW(
        "{" + entry("a", "F32", "[4294967296,1073741824]", "[0,0]") + "}", 0, "1073741824]", "F32"),
    HANDCRAFTED_SHAPE_RANK(
        "{" + entry("a", "F32", "[1,1,1,1,1,1,1,1,2]", "[0,8]") + "}",
        8,
        "\"shape\"",
        "more than 8"),
    HANDCRAFTED_OFFSETS_REVERSED(
        "{" + entry("a", "F32", "[2]", "[8,0]") + "}", 8, "data_offsets", "[8, 0]", "begin <= end"),
    HANDCRAFTED_OFFSETS_ONE(
        "{" + entry("a", "F32", "[2]", "[8]") + "}", 8, "data_offsets", "[8]", "[begin, end]"),
    HANDCRAFTED_OFFSETS_THREE(
        "{" + entry("a", "F32", "[2]", "[0,8,9]") + "}", 8, "data_offsets", "more than 2"),
    HANDCRAFTED_OFFSETS_NEGATIVE(
        "{" + entry("a", "F32", "[2]", "[-8,0]") + "}", 8, "data_offsets", "-8", "from 0"),
    HANDCRAFTED_SIZE_MISMATCH(
        "{" + entry("a", "F32", "[3]", "[0,8]") + "}", 8, "[0, 8]", "8 bytes", "[3]", "needs 12"),
    HANDCRAFTED_FIRST_NOT_ZERO(
        "{" + entry("a", "F32", "[2]", "[4,12]") + "}", 12, "begin at 4", "expected 0", "hole"),
    HANDCRAFTED_OVERLAP(
        "{" + A + "," + entry("b", "F32", "[2]", "[4,12]") + "}",
        12,
        "\"b\"",
        "begin at 4",
        "expected 8",
        "overlap"),
    HANDCRAFTED_SAME_RANGE(
        "{" + A + "," + entry("b", "F32", "[2]", "[0,8]") + "}",
        8,
        "begin at 0",
        "expected 8",
        "overlap"),
    HANDCRAFTED_HOLE(
        "{" + A + "," + entry("b", "F32", "[2]", "[12,20]") + "}",
        20,
        "\"b\"",
        "begin at 12",
        "expected 8",
        "hole"),
    HANDCRAFTED_DATA_SHORT("{" + A + "}", 7, "end at 8", "7 bytes"),
    HANDCRAFTED_DATA_EXTRA("{" + A + "}", 9, "end at 8", "9 bytes"),
    HANDCRAFTED_DATA_WITHOUT_TENSORS("{}", 1, "end at 0", "1 bytes"),
    HANDCRAFTED_NAME_EMPTY(
        "{" + entry("", "F32", "[2]", "[0,8]") + "}", 8, "0 characters", "1 to 1024"),
    HANDCRAFTED_NAME_LONG(
        "{" + entry("x".repeat(1025), "F32", "[2]", "[0,8]") + "}",
        8,
        "1025 characters",
        "1 to 1024"),
    HANDCRAFTED_NAME_ESCAPE(
        "{" + entry("\\u001b[2J", "F32", "[2]", "[0,8]") + "}",
        8,
        "\\u001b[2J",
        "control character"),
    HANDCRAFTED_NAME_SURROGATE(
        "{" + entry("\\ud800", "F32", "[2]", "[0,8]") + "}",
        8,
        "tensor name",
        "unpaired surrogate"),
    HANDCRAFTED_TOO_MANY_TENSORS(
        IntStream.rangeClosed(0, 1 << 17)
            .mapToObj(i -> entry(Integer.toString(i), "F32", "[0]", "[0,0]"))
            .collect(Collectors.joining(",", "{", "}")),
        0,
        "more than 131072");

    private final byte[] bytes;
    private final List<String> message;

    Corruption(byte[] bytes, String... message) {
      this.bytes = bytes;
      this.message = List.of(message);
    }

    Corruption(String header, int dataBytes, String... message) {
      this(file(header, dataBytes), message);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyCorruptionIsRefusedByName(Corruption corruption) {
    Path file = write(folder.resolve("bad.safetensors"), corruption.bytes);
    assertRefused(() -> Safetensors.open(file).close(), named(file, corruption.message));
  }

  @Test
  void aHeaderAboveTheLimitIsRefusedBeforeMemoryIsTaken() throws IOException {
    Path file = folder.resolve("sparse.safetensors");
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 100_000_001));
      out.write(ByteBuffer.wrap(new byte[1]), 100_000_100);
    }
    assertRefused(
        () -> Safetensors.open(file).close(),
        List.of(file.toString(), "length is 100000001", "1 to 100000000", "limit"));
  }

  @Test
  void theFileThatCorruptionsStartFromIsValid() {
    Path file = write(folder.resolve("good.safetensors"), VALID);
    try (Safetensors source = Safetensors.open(file)) {
      assertThat(source.tensors().keySet()).containsExactly("a", "b");
      assertThat(source.metadata()).containsExactly(Map.entry("k", "v"));
    }
  }

  @Test
  void truncationAnywhereIsRefused() {
    Path file = folder.resolve("cut.safetensors");
    for (int length = 0; length < VALID.length; length++) {
      write(file, Arrays.copyOf(VALID, length));
      assertRefused(() -> Safetensors.open(file).close(), List.of(file.toString()));
    }
  }

  @Test
  void anyOtherHeaderByteIsRefusedOrGivesAValidFile() throws IOException {
    Path file = folder.resolve("flip.safetensors");
    int refused = 0;
    int tried = 0;
    for (int at = 0; at < VALID.length - 12; at++) {
      for (int flip = 1; flip < 256; flip *= 2) {
        byte[] bytes = VALID.clone();
        bytes[at] ^= (byte) flip;
        write(file, bytes);
        tried++;
        try (Safetensors source = Safetensors.open(file)) {
          for (String name : source.tensors().keySet()) {
            touch(source, name);
          }
        } catch (InputException e) {
          assertThat(e.getMessage()).startsWith(file.toString()).hasLineCount(1);
          refused++;
        }
      }
    }
    assertThat(refused).isBetween(tried / 2, tried - 1);
    Files.delete(file);
  }

  private static List<String> named(Path file, List<String> message) {
    return Stream.concat(Stream.of(file.toString()), message.stream()).toList();
  }

  private static void touch(Safetensors source, String name) {
    var span = source.read(name);
    for (long i = 0; i < span.length(); i++) {
      span.get(i);
    }
  }
}
