package dev.sortie.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingPlanContractTest {
  @TempDir Path dir;

  @Test
  void thePeerGetsOurWeightsAndOurTokens() throws IOException {
    TrainingPlan plan = new TrainingPlan(2);
    try (NativeArena arena = new NativeArena("test")) {
      SequencedMap<String, Tensor> weights = new LinkedHashMap<>();
      Tensor a = Tensor.allocate(arena, DType.F32, Shape.of(2, 3));
      a.span().set(5, 0.5);
      Tensor b = Tensor.allocate(arena, DType.F32, Shape.of(1));
      b.span().set(0, -2);
      weights.put("a.weight", a);
      weights.put("b.weight", b);
      plan.write(dir, weights, List.of(), new LinkedHashMap<>());
    }
    ByteBuffer floats = read("weights.f32");
    assertThat(floats.remaining()).isEqualTo(7 * 4);
    assertThat(floats.getFloat(5 * 4)).isEqualTo(0.5f);
    assertThat(floats.getFloat(6 * 4)).isEqualTo(-2f);
    var model = Json.read(dir.resolve("model.json"));
    assertThat(model.getList("tensors"))
        .isEqualTo(List.of(List.of("a.weight", List.of(2L, 3L)), List.of("b.weight", List.of(1L))));
    assertThat(model.getInt("layers", 0, 9)).isEqualTo(2);
    assertThat(model.contains("exits")).isFalse();
    ByteBuffer tokens = read("tokens.i32");
    int[][] rows = plan.windows();
    assertThat(tokens.remaining()).isEqualTo(rows.length * rows[0].length * 4);
    assertThat(tokens.getInt(rows[0].length * 4)).isEqualTo(rows[1][0]);
    assertThat(plan.source().window(rows.length + 1)).isEqualTo(rows[1]);
  }

  private ByteBuffer read(String name) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(dir.resolve(name))).order(ByteOrder.LITTLE_ENDIAN);
  }
}
