package dev.sortie.nn.format;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static dev.sortie.nn.format.FormatFixtures.write;
import static dev.sortie.nn.format.GgufBytes.cat;
import static dev.sortie.nn.format.GgufBytes.list;
import static dev.sortie.nn.format.GgufBytes.pair;
import static dev.sortie.nn.format.GgufBytes.string;
import static dev.sortie.nn.format.GgufBytes.tensor;
import static dev.sortie.nn.format.GgufBytes.u32;
import static dev.sortie.nn.format.GgufBytes.u64;
import static dev.sortie.nn.format.GgufBytes.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.dtype.DType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each rule of the format has a file that breaks just that rule, and a message that says so. */
@Tag("any-kernels")
class GgufRejectContractTest {
  @TempDir Path folder;

  /** The reject list as data: what is changed in a valid file, and what the message must say. */
  enum Corruption {
    EMPTY(new byte[0], "has 0 bytes", "at least 24"),
    TOO_SHORT(new byte[23], "has 23 bytes", "at least 24"),
    BAD_MAGIC(b -> b.magic = "GGML".getBytes(StandardCharsets.US_ASCII), "\"GGML\"", "\"GGUF\""),
    MAGIC_ESCAPE(b -> b.magic = new byte[] {27, '[', '2', 'J'}, "\\u001b", "\"GGUF\""),
    VERSION_0(b -> b.version = 0, "version is 0", "2 or 3"),
    VERSION_1(b -> b.version = 1, "version is 1", "2 or 3"),
    VERSION_4(b -> b.version = 4, "version is 4", "2 or 3"),
    VERSION_UNSIGNED(b -> b.version = -1, "version is 4294967295", "2 or 3"),
    VERSION_SWAPPED(b -> b.version = 3 << 24, "version is 3", "big-endian"),
    TENSORS_NEGATIVE(b -> b.tensorCount = -1L, "number of tensors is 18446744073709551615"),
    TENSORS_BEYOND_FILE(b -> b.tensorCount = 1000L, "number of tensors is 1000", "could hold"),
    TENSORS_ONE_MORE(b -> b.tensorCount = 3L, "name of tensor 2"),
    PAIRS_NEGATIVE(b -> b.pairCount = Long.MIN_VALUE, "metadata pairs is 9223372036854775808"),
    PAIRS_BEYOND_FILE(b -> b.pairCount = 1000L, "metadata pairs is 1000", "could hold"),
    KEY_EMPTY(b -> b.pairs.add(pair("", 4, u32(1))), "length of metadata key 6 is 0", "1 to 65535"),
    KEY_LONG(
        b -> b.pairs.add(pair("k".repeat(65_536), 4, u32(1))),
        "length of metadata key 6 is 65536",
        "1 to 65535"),
    KEY_LENGTH_NEGATIVE(
        b -> b.pairs.add(u64(-5)), "length of metadata key 6 is 18446744073709551611"),
    KEY_CONTROL(b -> b.pairs.add(pair("a\nb", 4, u32(1))), "a\\u000ab", "control character"),
    KEY_UTF8(
        b -> b.pairs.add(cat(string(new byte[] {'k', (byte) 0xc0}), u32(4), u32(1))),
        "metadata key 6",
        "UTF-8",
        "byte 1"),
    KEY_DUPLICATE(b -> b.pairs.add(pair("flag", 4, u32(1))), "\"flag\"", "twice"),
    STRING_BEYOND_FILE(
        b -> b.pairs.add(cat(string("s"), u32(8), u64(1 << 20))),
        "length of metadata s is 1048576"),
    STRING_NEGATIVE(
        b -> b.pairs.add(cat(string("s"), u32(8), u64(-1))), "metadata s is 18446744073709551615"),
    STRING_OVERLONG_UTF8(
        b -> b.pairs.add(pair("s", 8, string(new byte[] {(byte) 0xc1, (byte) 0x81}))),
        "metadata s",
        "UTF-8",
        "byte 0"),
    STRING_SURROGATE(
        b -> b.pairs.add(pair("s", 8, string(new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80}))),
        "metadata s",
        "UTF-8"),
    VALUE_TYPE_UNKNOWN(b -> b.pairs.add(pair("v", 13, u32(1))), "metadata v", "type 13", "0 to 12"),
    VALUE_TYPE_NEGATIVE(b -> b.pairs.add(pair("v", -1, u32(1))), "type 4294967295", "0 to 12"),
    BOOL_2(b -> b.pairs.add(pair("v", 7, new byte[] {2})), "metadata v is 2", "0 or 1"),
    BOOL_IN_LIST(
        b -> b.pairs.add(pair("v", 9, list(7, new byte[] {1}, new byte[] {-1}))),
        "metadata v is 255",
        "0 or 1"),
    LIST_OF_LISTS(b -> b.pairs.add(pair("v", 9, list(9, list(4)))), "metadata v", "list of lists"),
    LIST_TYPE_UNKNOWN(b -> b.pairs.add(pair("v", 9, list(77))), "elements of metadata v", "77"),
    LIST_BEYOND_FILE(
        b -> b.pairs.add(pair("v", 9, list(4, 1L << 33))), "length of metadata v is 8589934592"),
    LIST_NEGATIVE(
        b -> b.pairs.add(pair("v", 9, list(4, -1L))), "metadata v is 18446744073709551615"),
    LIST_SIZE_OVERFLOW(
        b -> b.pairs.add(pair("v", 9, list(10, 1L << 61))), "metadata v is 2305843009213693952"),
    LIST_OF_STRINGS_BEYOND_FILE(
        b -> b.pairs.add(pair("v", 9, list(8, 2, string("a"), u64(1 << 30)))),
        "length of metadata v[1] is 1073741824"),
    LIST_STRING_UTF8(
        b -> b.pairs.add(pair("v", 9, list(8, string(new byte[] {(byte) 0x80})))),
        "metadata v[0]",
        "UTF-8"),
    ALIGNMENT_TYPE(
        b -> b.pairs.set(1, pair("general.alignment", 10, u64(32))),
        "general.alignment is 32 UINT64",
        "UINT32"),
    ALIGNMENT_STRING(
        b -> b.pairs.set(1, pair("general.alignment", 8, string("32"))),
        "general.alignment is \"32\"",
        "UINT32"),
    ALIGNMENT_ZERO(
        b -> b.pairs.set(1, pair("general.alignment", 4, u32(0))),
        "general.alignment is 0",
        "power of two"),
    ALIGNMENT_NO_POWER(
        b -> b.pairs.set(1, pair("general.alignment", 4, u32(48))),
        "general.alignment is 48",
        "power of two"),
    ALIGNMENT_HUGE(
        b -> b.pairs.set(1, pair("general.alignment", 4, u32(1 << 21))),
        "general.alignment is 2097152",
        "1048576"),
    ALIGNMENT_TOP_BIT(
        b -> b.pairs.set(1, pair("general.alignment", 4, u32(1 << 31))),
        "general.alignment is 2147483648",
        "1048576"),
    NAME_EMPTY(b -> b.tensors.set(0, tensor("", 0, 0, 3)), "name of tensor 0 is 0", "1 to 63"),
    NAME_LONG(
        b -> b.tensors.set(0, tensor("n".repeat(64), 0, 0, 3)),
        "name of tensor 0 is 64",
        "1 to 63"),
    NAME_CONTROL(b -> b.tensors.set(0, tensor("a\u007f", 0, 0, 3)), "\\u007f", "control character"),
    NAME_UTF8(
        b -> b.tensors.set(0, tensor(string(new byte[] {-1}), 1, 0, 0, 3)),
        "name of tensor 0",
        "UTF-8"),
    NAME_DUPLICATE(b -> b.tensors.set(1, tensor("a", 0, 32, 3)), "\"a\"", "twice"),
    RANK_0(b -> b.tensors.set(0, tensor("a", 0, 0)), "\"a\" has 0 dims", "1 to 4"),
    RANK_5(b -> b.tensors.set(0, tensor("a", 0, 0, 3, 1, 1, 1, 1)), "has 5 dims", "1 to 4"),
    RANK_NEGATIVE(
        b -> b.tensors.set(0, tensor(string("a"), -1, 0, 0, 3)), "has 4294967295 dims", "1 to 4"),
    DIM_ZERO(b -> b.tensors.set(0, tensor("a", 0, 0, 3, 0)), "\"a\": dim 1 is 0"),
    DIM_NEGATIVE(b -> b.tensors.set(0, tensor("a", 0, 0, -3)), "dim 0 is 18446744073709551613"),
    PRODUCT_OVERFLOW(
        b -> b.tensors.set(0, tensor("a", 0, 0, 1L << 32, 1L << 32)),
        "[4294967296, 4294967296]",
        "F32"),
    PRODUCT_OVERFLOWS_TO_SMALL(
        b -> b.tensors.set(0, tensor("a", 0, 0, 1L << 32, 1L << 32, 3)), "4294967296]", "F32"),
    BYTES_OVERFLOW(b -> b.tensors.set(0, tensor("a", 0, 0, 1L << 61)), "2305843009213693952"),
    TYPE_UNKNOWN(b -> b.tensors.set(0, tensor("a", 99, 0, 3)), "\"a\" has type 99,", "F32, F16"),
    TYPE_NEGATIVE(b -> b.tensors.set(0, tensor("a", -1, 0, 3)), "has type 4294967295,", "Q4_0"),
    TYPE_REMOVED(b -> b.tensors.set(0, tensor("a", 4, 0, 3)), "has type 4 (Q4_2)", "Q6_K"),
    TYPE_OTHER(b -> b.tensors.set(0, tensor("a", 16, 0, 256)), "has type 16 (IQ2_XXS)", "IQ4_NL"),
    BLOCK(b -> b.tensors.set(0, tensor("a", 8, 0, 3, 32)), "rows of 3", "Q8_0 blocks of 32"),
    OFFSET_NOT_ALIGNED(
        b -> b.tensors.set(1, tensor("b", 8, 33, 32, 2)), "\"b\": offset is 33", "alignment 32"),
    OFFSET_NOT_FIRST(
        b -> b.tensors.set(0, tensor("a", 0, 32, 3)), "\"a\": offset is 32", "expected 0"),
    OFFSET_OVERLAP(
        b -> b.tensors.set(1, tensor("b", 8, 0, 32, 2)), "\"b\": offset is 0", "expected 32"),
    OFFSET_HOLE(
        b -> b.tensors.set(1, tensor("b", 8, 64, 32)), "\"b\": offset is 64", "expected 32"),
    OFFSET_NEGATIVE(
        b -> b.tensors.set(1, tensor("b", 8, -32, 32)), "offset is 18446744073709551584"),
    DATA_SHORT(b -> b.data = new byte[99], "\"b\" ends at byte", "fetch it again"),
    DATA_LONG(b -> b.data = new byte[129], "its last tensor ends at");

    private final byte[] bytes;
    private final List<String> message;

    Corruption(byte[] bytes, String... message) {
      this.bytes = bytes;
      this.message = List.of(message);
    }

    Corruption(Consumer<GgufBytes> change, String... message) {
      this(with(change), message);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyCorruptionIsRefusedByName(Corruption corruption) {
    Path file = write(folder.resolve("bad.gguf"), corruption.bytes);
    assertRefused(
        () -> Gguf.open(file).close(),
        Stream.concat(Stream.of(file + ": "), corruption.message.stream()).toList());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void theFileThatCorruptionsStartFromIsValid(int version) {
    byte[] bytes = with(b -> b.version = version);
    try (Gguf file = Gguf.open(write(folder.resolve("good.gguf"), bytes))) {
      assertThat(file.metadata().getStrings("words", 3)).containsExactly("a", "é", "");
      assertThat(file.metadata().getBoolean("flag", false)).isTrue();
      assertThat(file.metadata().getInt("general.alignment", 1, 99)).isEqualTo(32);
      assertThat(file.tensors().keySet()).containsExactly("a", "b");
      assertThat(file.tensors().get("a").shape()).containsExactly(1L, 3L);
      assertThat(file.tensors().get("b").dtype()).isEqualTo(DType.Q8_0);
      assertThat(file.tensors().get("b").shape()).containsExactly(2L, 32L);
      assertThat(file.read("a").getInt(1)).isEqualTo(0x07060504);
    }
  }

  @Test
  void theLastTensorMayLackItsPadding() {
    byte[] bytes = with(b -> b.data = Arrays.copyOf(b.data, 100));
    try (Gguf file = Gguf.open(write(folder.resolve("cut.gguf"), bytes))) {
      touch(file);
    }
  }

  @Test
  void truncationBeforeTheLastElementIsRefused() {
    byte[] valid = GgufBytes.valid().build();
    Path file = folder.resolve("cut.gguf");
    for (int length = 0; length < valid.length - 28; length++) {
      write(file, Arrays.copyOf(valid, length));
      assertRefused(() -> Gguf.open(file).close(), List.of(file.toString()));
    }
  }

  @Test
  void anyOtherHeaderByteIsRefusedOrGivesAValidFile() {
    byte[] valid = GgufBytes.valid().build();
    int header = GgufBytes.valid().headerLength();
    Path path = folder.resolve("flip.gguf");
    int refused = 0;
    int tried = 0;
    for (int at = 0; at < header; at++) {
      for (int flip = 1; flip < 256; flip *= 2) {
        byte[] bytes = valid.clone();
        bytes[at] ^= (byte) flip;
        write(path, bytes);
        tried++;
        try (Gguf file = Gguf.open(path)) {
          touch(file);
        } catch (InputException e) {
          assertThat(e.getMessage()).startsWith(path.toString()).hasLineCount(1);
          refused++;
        }
      }
    }
    assertThat(refused).isBetween(tried / 2, tried - 1);
  }

  @Test
  void aTypedGetterNamesKeyValueAndWhatIsExpected() {
    Path path = write(folder.resolve("good.gguf"), GgufBytes.valid().build());
    try (Gguf file = Gguf.open(path)) {
      GgufMetadata m = file.metadata();
      assertRefused(() -> m.getInt("flag", 0, 9), List.of("flag is true BOOL", "from 0 to 9"));
      assertRefused(() -> m.getInt("size", 0, 9), List.of("size is 1099511627776", "from 0 to 9"));
      assertRefused(() -> m.getInt("absent", 0, 9), List.of("absent is missing", "from 0 to 9"));
      assertRefused(() -> m.getString("size"), List.of("size is 1099511627776", "a string"));
      assertRefused(() -> m.getDouble("words", 0, 1), List.of("a list of 3 STRING", "a number"));
      assertRefused(() -> m.getBoolean("words", true), List.of("a list of 3", "a boolean"));
      assertRefused(() -> m.getStrings("words", 2), List.of("a list of 3", "at most 2 STRING"));
      assertRefused(() -> m.getStrings("flags", 2), List.of("a list of 2 BOOL", "STRING"));
      assertRefused(() -> m.getFloats("words", 3), List.of("a list of 3 STRING", "3 FLOAT32"));
      assertRefused(() -> m.getInts("flags", 2), List.of("a list of 2 BOOL", "2 INT32"));
    }
  }

  static void touch(Gguf file) {
    file.metadata().values().values().forEach(GgufRejectContractTest::touch);
    for (String name : file.tensors().keySet()) {
      var span = file.read(name);
      for (long i = 0; i < span.length(); i++) {
        span.get(i);
      }
    }
  }

  private static void touch(GgufValue value) {
    if (value instanceof GgufValue.Array list) {
      switch (list.elements()) {
        case STRING -> assertThat(list.strings()).hasSize(list.count());
        case FLOAT32 -> assertThat(list.floats()).hasSize(list.count());
        case INT32 -> assertThat(list.ints()).hasSize(list.count());
        default -> assertThat(list.bytes().byteSize()).isGreaterThanOrEqualTo(list.count());
      }
    }
  }
}
