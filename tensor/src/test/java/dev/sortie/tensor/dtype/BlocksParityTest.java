package dev.sortie.tensor.dtype;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Storage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Blocks decode to the bits of the reference, {@code gguf} of PyPI; see make_blocks.py. */
final class BlocksParityTest {
  record Sample(DType type, byte[] blocks, float[] floats) {
    @Override
    public String toString() {
      return type.name();
    }
  }

  static List<Sample> samples() throws IOException {
    try (var in = BlocksParityTest.class.getResourceAsStream("blocks.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .map(line -> line.split(" "))
          .map(
              f -> {
                byte[] floats = Base64.getDecoder().decode(f[2]);
                float[] expected = new float[floats.length / 4];
                ByteBuffer.wrap(floats)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(expected);
                return new Sample(DType.valueOf(f[0]), Base64.getDecoder().decode(f[1]), expected);
              })
          .toList();
    }
  }

  @Test
  void everyQuantisedTypeHasASample() throws IOException {
    assertThat(samples().stream().map(Sample::type))
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(DType.values()).filter(DType::isQuantised).toList());
  }

  @ParameterizedTest
  @MethodSource("samples")
  void decodesToTheBitsOfTheReference(Sample s) {
    try (NativeArena arena = new NativeArena("test")) {
      Storage storage = arena.allocate(s.type, s.floats.length);
      storage.segment().copyFrom(MemorySegment.ofArray(s.blocks));
      Kernels kernels = new ScalarKernels();
      Tensor y = Tensor.allocate(arena, DType.F32, Shape.of(s.floats.length));
      kernels.copy(storage.span(), y.span());
      assertThat(y.toFloats()).containsExactly(s.floats);
      for (int i : new int[] {0, 17, s.floats.length - 1}) {
        assertThat((float) storage.span().get(i)).isEqualTo(s.floats[i]);
      }
      Span last = storage.span().slice(s.floats.length - s.type.block(), s.type.block());
      assertThat((float) last.get(3)).isEqualTo(s.floats[s.floats.length - s.type.block() + 3]);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void spansBeginAndEndAtBlocks(DType type) {
    if (!type.isQuantised()) {
      return;
    }
    try (NativeArena arena = new NativeArena("test")) {
      Span all = arena.allocate(type, 2L * type.block()).span();
      assertThat(all.slice(type.block(), type.block()).bytes()).isEqualTo(type.blockBytes());
      assertThatThrownBy(() -> all.slice(1, type.block()))
          .hasMessageContaining("blocks of " + type.block());
      assertThatThrownBy(() -> all.set(0, 1)).hasMessageContaining("without its block");
      assertThatThrownBy(() -> arena.allocate(type, type.block() + 1))
          .hasMessageContaining("whole number of blocks");
    }
  }
}
