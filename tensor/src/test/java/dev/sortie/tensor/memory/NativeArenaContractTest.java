package dev.sortie.tensor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Storages of an arena that reserves are as those of any arena: zero, aligned and apart. */
@Tag("any-kernels")
class NativeArenaContractTest {
  @Test
  void reservedStoragesAreZeroAlignedAndApart() {
    try (NativeArena arena = NativeArena.reserving("test")) {
      long large = 20L << 20; // several of these fill a block, and one is larger than what is left
      List<Tensor> all = new ArrayList<>();
      for (long elements : new long[] {1, 3, large, 1000, large, 1}) {
        all.add(Tensor.allocate(arena, DType.F32, Shape.of(elements)));
      }
      assertThat(arena.bytes()).isEqualTo(4 * (1 + 3 + large + 1000 + large + 1));
      for (int i = 0; i < all.size(); i++) {
        Span span = all.get(i).span();
        assertThat(span.address() % 64).isZero();
        assertThat(span.get(0)).isZero();
        assertThat(span.get(span.length() - 1)).isZero();
        span.set(0, i + 1);
        span.set(span.length() - 1, i + 1);
      }
      for (int i = 0; i < all.size(); i++) {
        assertThat(all.get(i).span().get(0)).isEqualTo(i + 1);
      }
    }
  }

  /** What a constructor has allocated before it fails does not stay. */
  @Test
  void anAllocationThatFailsClosesTheArenaWhereThatIsAsked() {
    NativeArena arena = new NativeArena("test");
    Tensor first = arena.orClose(() -> Tensor.allocate(arena, DType.F32, Shape.of(4)));
    first.span().set(0, 1);
    assertThatThrownBy(
            () -> arena.orClose(() -> Tensor.allocate(arena, DType.F32, Shape.of(1L << 45))))
        .isInstanceOf(OutOfMemoryError.class);
    assertThatThrownBy(() -> first.span().set(0, 1)).isInstanceOf(IllegalStateException.class);
  }
}
