package dev.sortie.tensor.kernel.simd.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.kernel.TestSpans;
import dev.sortie.tensor.kernel.simd.tile.ReadAheadTrials.Trial;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tiles are read ahead where that was faster, and the way changes no bit. */
class ReadAheadTrialsContractTest {
  private static final long FIRST = 1000;

  private final Trial trial = new Trial(FIRST);

  /** Ends a round in which reading ahead was faster so many times. */
  private void round(int faster) {
    for (int call = 0; call < Trial.CALLS; call++) {
      assertThat(trial.due(0)).as("call %d of a round", call).isTrue();
      trial.end(call < faster);
    }
  }

  @Test
  void nothingIsReadAheadBeforeTheFirstRound() {
    assertThat(trial.due(FIRST - 1)).isFalse();
    assertThat(trial.ahead()).isFalse();
    assertThat(trial.due(1)).isTrue();
  }

  @Test
  void theWayThatWonMostCallsIsKeptUntilTheNextRoundSaysOtherwise() {
    assertThat(trial.due(FIRST)).isTrue();
    round(Trial.CALLS / 2 + 1);
    assertThat(trial.ahead()).isTrue();

    assertThat(trial.due(FIRST - 1)).as("before as many bytes again").isFalse();
    assertThat(trial.due(1)).isTrue();
    assertThat(trial.ahead()).as("while a round is under way").isTrue();
    round(Trial.CALLS / 2);
    assertThat(trial.ahead()).isFalse();
  }

  @Test
  void aRoundBeginsAtLeastEachSoManyBytes() {
    assertThat(trial.due(10 * Trial.MOST_BYTES)).isTrue();
    round(0);
    assertThat(trial.due(Trial.MOST_BYTES - 1)).isFalse();
    assertThat(trial.due(1)).isTrue();
  }

  @Test
  void callsBeginEitherWayInTurns() {
    assertThat(trial.due(FIRST)).isTrue();
    boolean before = trial.beginsAhead();
    trial.end(true);
    assertThat(trial.beginsAhead()).isNotEqualTo(before);
  }

  /** The last calls of a round may be under way on several threads. */
  @Test
  void aCallThatEndsAfterItsRoundIsNotCounted() {
    assertThat(trial.due(FIRST)).isTrue();
    round(0);
    trial.end(true);
    assertThat(trial.ahead()).isFalse();
    assertThat(trial.due(0)).isFalse();
  }

  /** Types, sizes and numbers of rows are tried apart; many rows are not. */
  @Test
  void eachKindHasItsOwnTrial() {
    ReadAheadTrials trials = new ReadAheadTrials(FIRST);
    try (NativeArena arena = new NativeArena("tiles")) {
      TiledWeight w = weight(arena, TileType.Q4_0, 64, 256);
      assertThat(trials.of(w, 1)).isSameAs(trials.of(weight(arena, TileType.Q4_0, 96, 256), 1));
      assertThat(List.of(trials.of(w, 1), trials.of(w, 2), trials.of(w, 4), trials.of(w, 16)))
          .doesNotHaveDuplicates();
      assertThat(trials.of(w, 3)).isSameAs(trials.of(w, 4));
      assertThat(trials.of(w, 1))
          .isNotSameAs(trials.of(weight(arena, TileType.Q4_1, 64, 256), 1))
          .isNotSameAs(trials.of(weight(arena, TileType.Q4_0, 64, 1024), 1));
      assertThat(trials.of(w, 17)).isNull();
    }
  }

  private static TiledWeight weight(NativeArena arena, TileType type, int n, int k) {
    long length = TiledWeight.elements(type, TileProducts.LANES, n, k);
    Span values = arena.allocate(DType.I32, length).span();
    return new TiledWeight(type, TileProducts.LANES, values, n, k);
  }

  /** The first calls go both ways, half and half; others the way that was faster. */
  @ParameterizedTest
  @EnumSource
  void bitsAreThoseOfTheReference(TileType type) {
    int k = 768;
    int n = 17 * TileProducts.LANES + 5;
    Kernels reference = new ScalarKernels();
    try (TestSpans spans = new TestSpans(4);
        WorkerPool pool = new WorkerPool(2)) {
      Span w = spans.blocks(type.dtype(), (long) n * k, new Random(9));
      TileProducts products = new TileProducts(pool, 1);
      TiledWeight expects = reference.tile(w, n, k, spans.arena());
      TiledWeight tiles = products.tile(new KernelQuery.Tile(w, n, k, spans.arena()));
      for (int m : new int[] {1, 3}) {
        Span x = spans.gaussians(DType.F32, (long) m * k);
        Span expected = spans.allocate(DType.F32, (long) m * n);
        reference.tiledLinears(x, List.of(new TiledProjection(expects, null, expected)), m, k);
        for (int call = 0; call < Trial.CALLS + 4; call++) {
          Span y = spans.allocate(DType.F32, (long) m * n);
          products.run(
              new MatrixCall.TiledLinears(x, List.of(new TiledProjection(tiles, null, y)), m, k));
          assertThat(y.segment().mismatch(expected.segment()))
              .as("first byte that differs, %d rows, call %d", m, call)
              .isEqualTo(-1);
        }
      }
    }
  }
}
