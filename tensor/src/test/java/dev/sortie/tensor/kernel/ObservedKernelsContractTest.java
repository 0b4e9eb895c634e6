package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.memory.NativeArena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Observed kernels compute what those beneath do, and tell which calls carried a call out. */
@Tag("any-kernels")
class ObservedKernelsContractTest {
  private static final int K = 32;

  private final NativeArena arena = new NativeArena("test");
  private final List<Seen> seen = new ArrayList<>();

  private record Seen(KernelCall asked, KernelCall ran, long nanos) {}

  @AfterEach
  void free() {
    arena.close();
  }

  private Kernels observed(Kernels kernels) {
    return new ObservedKernels(kernels, (asked, ran, n) -> seen.add(new Seen(asked, ran, n)));
  }

  private Tensor values(long... dims) {
    Tensor t = Tensor.allocate(arena, DType.F32, Shape.of(dims));
    for (long i = 0; i < t.span().length(); i++) {
      t.span().set(i, i % 7 - 3);
    }
    return t;
  }

  private Tensor blocks(Kernels kernels, int rows) {
    Tensor t = Tensor.allocate(arena, DType.Q8_0, Shape.of(rows, K));
    kernels.copy(values(rows, K).span(), t.span());
    return t;
  }

  @Test
  void aCallIsToldOfOnceItIsDone() {
    Tensor x = values(2, 3);
    Tensor y = values(2, 3);
    observed(new ScalarKernels()).add(x.span(), x.span(), y.span());
    assertThat(y.toFloats()).containsExactly(-6, -4, -2, 0, 2, 4);
    assertThat(seen).hasSize(1);
    assertThat(seen.getFirst().ran()).isSameAs(seen.getFirst().asked());
    assertThat(seen.getFirst().ran().name()).isEqualTo("add");
    assertThat(seen.getFirst().nanos()).isNotNegative();
  }

  @Test
  void productsWithWeightsInTilesAreToldApartFromOthers() {
    ScalarKernels scalar = new ScalarKernels();
    TiledKernels tiled = new TiledKernels(scalar);
    Tensor inTiles = blocks(scalar, 4);
    Tensor asItIs = blocks(scalar, 3);
    assertThat(tiled.add(inTiles.span(), 4, K, arena)).isTrue();
    Tensor x = values(2, K);
    Tensor first = values(2, 4);
    Tensor second = values(2, 3);
    List<Projection> both =
        List.of(
            new Projection(inTiles.span(), null, first.span(), 4),
            new Projection(asItIs.span(), null, second.span(), 3));
    observed(tiled).linears(x.span(), both, 2, K);
    float[] expectedFirst = first.toFloats();
    float[] expectedSecond = second.toFloats();
    assertThat(seen).extracting(s -> s.ran().name()).containsExactly("tiledLinears", "linears");
    assertThat(seen).extracting(s -> s.asked().name()).containsOnly("linears");
    MatrixCall.TiledLinears ran = (MatrixCall.TiledLinears) seen.getFirst().ran();
    assertThat(ran.projections()).extracting(TiledProjection::y).containsExactly(first.span());
    scalar.fill(first.span(), 0);
    scalar.fill(second.span(), 0);
    tiled.linears(x.span(), both, 2, K);
    assertThat(first.toFloats()).isEqualTo(expectedFirst);
    assertThat(second.toFloats()).isEqualTo(expectedSecond);
  }

  @Test
  void kernelsThatTakeRowsAPieceAtATimeTellOfEachPiece() {
    ScalarKernels scalar = new ScalarKernels();
    TiledKernels tiled = new TiledKernels(scalar);
    Tensor w = blocks(scalar, 4);
    tiled.add(w.span(), 4, K, arena);
    int rows = Kernels.ROW_STABLE + 1;
    observed(tiled)
        .stepwise()
        .linear(values(rows, K).span(), w.span(), null, values(rows, 4).span(), rows, 4, K);
    assertThat(seen)
        .extracting(s -> ((MatrixCall.TiledLinears) s.ran()).m())
        .containsExactly(Kernels.ROW_STABLE, 1);
  }
}
