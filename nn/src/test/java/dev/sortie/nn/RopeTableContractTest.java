package dev.sortie.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Rotary tables have the same rows whenever they are computed. */
class RopeTableContractTest {
  private static final int POSITIONS = 3000;
  private static final int PAIRS = 4;
  private static final double THETA = 10_000;

  private static RopeTable table(NativeArena arena) {
    return RopeTable.of(arena, DType.F64, POSITIONS, 2 * PAIRS, THETA, RopeScaling.NONE);
  }

  @Test
  void rowsAreCosinesAndSinesOfThePosition() {
    try (NativeArena arena = new NativeArena("tables")) {
      RopeTable table = table(arena);
      for (int end : new int[] {1, 7, 1024, 1025, POSITIONS}) {
        Tensor cos = table.cos(end);
        Tensor sin = table.sin(end);
        for (int j = 0; j < PAIRS; j++) {
          double angle = (end - 1) * StrictMath.pow(THETA, -2.0 * j / (2 * PAIRS));
          assertThat(cos.get(end - 1, j)).isEqualTo(StrictMath.cos(angle));
          assertThat(sin.get(end - 1, j)).isEqualTo(StrictMath.sin(angle));
        }
      }
    }
  }

  @Test
  void threadsThatShareATableReadTheirRows() {
    try (NativeArena arena = new NativeArena("tables")) {
      RopeTable table = table(arena);
      boolean all =
          IntStream.rangeClosed(1, POSITIONS)
              .parallel()
              .allMatch(end -> table.cos(end).get(end - 1, 0) == StrictMath.cos(end - 1));
      assertThat(all).isTrue();
    }
  }
}
