package dev.sortie.nn.format;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static dev.sortie.nn.format.FormatFixtures.entry;
import static dev.sortie.nn.format.FormatFixtures.file;
import static dev.sortie.nn.format.FormatFixtures.ramp;
import static dev.sortie.nn.format.FormatFixtures.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.file.Sha256;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written is read back bit for bit, and the bytes are those that the format asks for. */
@Tag("any-kernels")
class SafetensorsRoundTripContractTest {
  @TempDir Path folder;
  private final NativeArena arena = new NativeArena("test");

  @AfterEach
  void close() {
    arena.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16", "F16", "I32"})
  void everyTypeComesBackBitForBit(DType dtype) {
    Path file = folder.resolve("m.safetensors");
    Span data = ramp(arena, dtype, 15, -7);
    new SafetensorsWriter()
        .metadata("format", "pt")
        .tensor("odd", ramp(arena, DType.BF16, 3, 0), 3)
        .tensor("x", data, 3, 5)
        .tensor("scalar", ramp(arena, dtype, 1, 4))
        .tensor("none", arena.allocate(dtype, 0).span(), 4, 0)
        .write(file);
    try (Safetensors source = Safetensors.open(file)) {
      assertThat(source.tensors().keySet()).containsExactly("odd", "x", "scalar", "none");
      assertThat(source.tensors().get("x").shape()).containsExactly(3L, 5L);
      assertThat(source.tensors().get("scalar").shape()).isEmpty();
      Span back = source.read("x", 3, 5);
      assertThat(back.dtype()).isEqualTo(dtype);
      assertThat(back.segment().mismatch(data.segment())).isEqualTo(-1);
      assertThat(back.get(14)).isEqualTo(data.get(14));
      assertThat(source.read("none").length()).isZero();
      assertThat(source.metadata()).containsEntry("format", "pt");
    }
  }

  @Test
  void bytesAreThoseOfTheFormat() throws IOException {
    Path file = folder.resolve("m.safetensors");
    Span data = arena.allocate(DType.F32, 2).span();
    data.set(0, 1);
    data.set(1, -2);
    new SafetensorsWriter().metadata("k", "é\"").tensor("w", data, 2).write(file);
    byte[] bytes = Files.readAllBytes(file);
    String json =
        "{\"__metadata__\":{\"k\":\"é\\\"\"},"
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) in.getLong();
    String header = new String(bytes, 8, length, StandardCharsets.UTF_8);
    assertThat((8 + length) % 64).isZero();
    assertThat(header.stripTrailing()).isEqualTo(json);
    assertThat(header.substring(json.length())).isBlank().doesNotContain("\n", "\t");
    assertThat(in.getFloat(8 + length)).isEqualTo(1f);
    assertThat(in.getFloat(12 + length)).isEqualTo(-2f);
    assertThat(bytes).hasSize(16 + length);
  }

  @Test
  void theSameTensorsGiveTheSameBytesAndLeaveNoOtherFile() throws IOException {
    Span data = ramp(arena, DType.F32, 1000, 3);
    Path one = folder.resolve("one.safetensors");
    Path two = folder.resolve("two.safetensors");
    for (Path file : List.of(one, two)) {
      new SafetensorsWriter()
          .metadata("b", "1")
          .metadata("a", "2")
          .tensor("w", data, 10, 100)
          .write(file);
    }
    assertThat(Files.mismatch(one, two)).isEqualTo(-1);
    assertThat(Sha256.of(one)).isEqualTo(Sha256.of(two));
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactlyInAnyOrder(one, two);
    }
  }

  @Test
  void aMappedFileKeepsItsValuesWhenItIsWrittenAnew() {
    Path file = folder.resolve("m.safetensors");
    new SafetensorsWriter().tensor("w", ramp(arena, DType.F32, 4, 10), 4).write(file);
    try (Safetensors old = Safetensors.open(file)) {
      Span before = old.read("w");
      new SafetensorsWriter().tensor("w", ramp(arena, DType.F32, 4, 20), 4).write(file);
      assertThat(before.get(0)).isEqualTo(10.5);
      try (Safetensors now = Safetensors.open(file)) {
        assertThat(now.read("w").get(0)).isEqualTo(20.5);
      }
    }
  }

  @Test
  void dataAtAnOddAddressIsRead() {
    String header = "{" + entry("w", "F32", "[2]", "[0,8]") + "}";
    String odd = header.length() % 2 == 0 ? header + " " : header;
    byte[] bytes = file(odd, 8);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 8, 3.25f);
    try (Safetensors source = Safetensors.open(write(folder.resolve("odd.safetensors"), bytes))) {
      assertThat(source.read("w").address() % 2).isEqualTo(1);
      assertThat(source.read("w").get(0)).isEqualTo(3.25);
    }
  }

  @Test
  void headerOrderMayDifferFromDataOrder() {
    String header =
        "{" + entry("b", "I32", "[1]", "[4,8]") + "," + entry("a", "I32", "[1]", "[0,4]") + "}";
    byte[] bytes = file(header, 8);
    ByteBuffer.wrap(bytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(bytes.length - 8, 71)
        .putInt(bytes.length - 4, 72);
    try (Safetensors source = Safetensors.open(write(folder.resolve("m.safetensors"), bytes))) {
      assertThat(source.tensors().keySet()).containsExactly("b", "a");
      assertThat(source.read("a").getInt(0)).isEqualTo(71);
      assertThat(source.read("b").getInt(0)).isEqualTo(72);
    }
  }

  @Test
  void wrongNamesAndShapesAreRefusedWithBothValues() {
    Path file = folder.resolve("m.safetensors");
    new SafetensorsWriter().tensor("w", ramp(arena, DType.F32, 6, 0), 2, 3).write(file);
    try (Safetensors source = Safetensors.open(file)) {
      assertRefused(() -> source.read("v"), List.of(file.toString(), "\"v\"", "1"));
      assertRefused(
          () -> source.read("w", 3, 2), List.of(file.toString(), "\"w\"", "[2, 3]", "[3, 2]"));
    }
  }

  @Test
  void theMapIsReadOnlyAndEndsWithItsSource() {
    Path file = folder.resolve("m.safetensors");
    new SafetensorsWriter().tensor("w", ramp(arena, DType.F32, 1, 0), 1).write(file);
    Span span;
    try (Safetensors source = Safetensors.open(file)) {
      span = source.read("w");
      assertThat(span.segment()).extracting(MemorySegment::isReadOnly).isEqualTo(true);
    }
    assertThatThrownBy(() -> span.get(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("m.safetensors");
  }

  @Test
  void theWriterRefusesWhatTheReaderWould() {
    Span two = ramp(arena, DType.F32, 2, 0);
    SafetensorsWriter writer = new SafetensorsWriter().tensor("w", two, 2);
    assertThatThrownBy(() -> writer.tensor("w", two, 2)).hasMessageContaining("twice");
    assertThatThrownBy(() -> writer.tensor("v", two, 3))
        .hasMessageContaining("[3]")
        .hasMessageContaining("2 elements");
    assertThatThrownBy(() -> writer.tensor("v", two, -2)).hasMessageContaining("[-2]");
    assertThatThrownBy(() -> writer.tensor("__metadata__", two, 2))
        .hasMessageContaining("reserved");
    assertThatThrownBy(() -> writer.tensor("a\nb", two, 2)).hasMessageContaining("control");
  }

  @Test
  void aFailedWriteLeavesTheOldFileAndNoTemporary() throws IOException {
    Path file = folder.resolve("m.safetensors");
    NativeArena gone = new NativeArena("gone");
    SafetensorsWriter writer = new SafetensorsWriter().tensor("w", ramp(gone, DType.F32, 2, 0), 2);
    write(file, "old");
    gone.close();
    assertThatThrownBy(() -> writer.write(file)).isInstanceOf(IllegalStateException.class);
    assertThat(file).hasContent("old");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
    Path nowhere = folder.resolve("missing/m.safetensors");
    assertRefused(
        () -> new SafetensorsWriter().write(nowhere), List.of(nowhere.toString(), "folder"));
  }
}
