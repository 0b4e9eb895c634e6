package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Kernels of a dry run change nothing, and refuse what all kernels refuse. */
@Tag("any-kernels")
class DryKernelsContractTest {
  private final Kernels kernels = new DryKernels();

  @Test
  void noOperandChanges() {
    try (NativeArena arena = new NativeArena("test")) {
      Tensor x = Tensor.of(arena, Shape.of(2, 2), 1, 2, 3, 4);
      Tensor y = Tensor.of(arena, Shape.of(2, 2), 5, 6, 7, 8);
      kernels.fill(y.span(), 0);
      kernels.linear(x.span(), x.span(), null, y.span(), 2, 2, 2);
      assertThat(y.toFloats()).containsExactly(5, 6, 7, 8);
      assertThat(kernels.sum(x.span())).isZero();
    }
  }

  @Test
  void aWrongCallIsRefused() {
    try (NativeArena arena = new NativeArena("test")) {
      Tensor x = Tensor.of(arena, Shape.of(2, 2), 1, 2, 3, 4);
      assertThatThrownBy(() -> kernels.linear(x.span(), x.span(), null, x.span(), 2, 2, 3))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aPackedWeightTakesItsMemory() {
    try (NativeArena arena = new NativeArena("test");
        NativeArena packed = new NativeArena("packed")) {
      Tensor w = Tensor.allocate(arena, DType.F32, Shape.of(32, 16));
      PackedWeight p = kernels.pack(w.span(), 32, 16, packed);
      assertThat(packed.bytes()).isEqualTo(w.span().bytes());
      assertThat(p.n()).isEqualTo(32);
    }
  }
}
