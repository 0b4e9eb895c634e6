package dev.sortie.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ResultContractTest {
  private static final Result RESULT =
      new Result(
          "gemm",
          "a peer 1.0",
          new Machine("a processor", 2, "a JVM", "simd512", "2026-01-31"),
          new Limits(2, 1e11, 2e11, 3e10, 5e10),
          List.of(
              new Row("first", "x", 40, 10, "GFLOP/s", Map.of("limit_share", 0.5)),
              new Row("second", "x", 10, 10, "GFLOP/s", Map.of()),
              new Row("third", "y", 5, 20, "GFLOP/s", Map.of())));

  @Test
  void theMeanOfRatiosIsGeometric() {
    assertThat(RESULT.geomean()).isCloseTo(1, offset(1e-12)); // 4 * 1 / 4
    assertThat(RESULT.groups().keySet()).containsExactly("x", "y");
    assertThat(RESULT.groups().get("x")).isCloseTo(2, offset(1e-12));
    assertThat(RESULT.groups().get("y")).isCloseTo(0.25, offset(1e-12));
  }

  @Test
  void theJsonHasTheFieldsOfTheContract() {
    JsonObject o = Json.parse("test", Json.compact(RESULT.describe()), JsonLimits.CONFIG);
    assertThat(o.getString("name")).isEqualTo("gemm");
    assertThat(o.getString("device")).isEqualTo("a processor, 2 threads, simd512");
    assertThat(o.getDouble("geomean", 0, 10)).isEqualTo(1);
    List<JsonObject> rows = o.getObjects("rows");
    assertThat(rows).hasSize(3);
    assertThat(rows.getFirst().fields())
        .containsEntry("case", "first")
        .containsEntry("ours", 40.0)
        .containsEntry("peer", 10.0)
        .containsEntry("unit", "GFLOP/s")
        .containsEntry("ratio", 4.0)
        .containsEntry("limit_share", 0.5);
    assertThat(o.getObject("limits").getDouble("fma_gflops", 0, 1e6)).isEqualTo(200);
    assertThat(o.getObject("limits").getDouble("read_gb_per_second_1_thread", 0, 1e6))
        .isEqualTo(30);
  }

  @Test
  void theTableHasAllRowsAndTheMean() {
    assertThat(Table.of(RESULT))
        .contains("first", "second", "third", "a peer 1.0", "fma_gflops 200.0")
        .contains("geomean: 1.000");
  }

  @Test
  void aRateThatIsNoNumberIsRefused() {
    for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new Row("case", "g", bad, 1, "x", Map.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("case");
    }
  }

  @Test
  void theRooflineIsTheLowerOfTheTwoLimits() {
    Limits l = RESULT.limits();
    assertThat(l.roofline(2, 1000, 1)).isEqualTo(2e11);
    assertThat(l.roofline(1, 2, 4)).isEqualTo(1.5e10);
  }
}
