package dev.sortie.eetuning.eval.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.SampleResults;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoJsonContractTest {
  @TempDir Path dir;

  private JsonObject written(DemoResults results) {
    Path file = dir.resolve("results.json");
    DemoJson.write(file, results);
    return Json.read(file);
  }

  private static String text(JsonObject object, String field) {
    return Json.compact(object.fields().get(field));
  }

  @Test
  void fieldsHaveTheNamesOfTheContract() {
    JsonObject root = written(SampleResults.usual());
    assertThat(root.getString("model")).isEqualTo("fable<b>");
    assertThat(root.getInt("layers", 0, 100)).isEqualTo(8);
    assertThat(number(root.getObject("full_depth"), "decode_tokens_per_second")).isEqualTo(100);
    JsonObject point = root.getObjects("sweep").get(1);
    assertThat(point.getString("strategy")).isEqualTo("early-exit");
    assertThat(number(point, "threshold")).isEqualTo(0.8);
    assertThat(number(point, "decode_tokens_per_second")).isEqualTo(150);
    assertThat(number(point, "speedup")).isEqualTo(1.5);
    assertThat(point.getString("technique")).isEqualTo("exits");
    assertThat(point.getString("verdict")).isEqualTo("gain");
    assertThat(point.getList("pair_ratios")).hasSize(12);
    JsonObject measurement = root.getObject("measurement");
    assertThat(measurement.getInt("pairs", 0, 100)).isEqualTo(12);
    assertThat(number(measurement, "unchanged_least")).isEqualTo(1);
    assertThat(number(measurement, "unchanged_most")).isEqualTo(1);
    assertThat(number(measurement, "error")).isBetween(0.02, 0.021);
    assertThat(number(point, "agreement")).isEqualTo(0.96);
    assertThat(number(point, "mean_depth")).isEqualTo(5.5);
    assertThat(text(point, "exits")).isEqualTo("{\"3\":0.5,\"6\":0.2,\"final\":0.3}");
    assertThat(text(root, "losses")).isEqualTo("{\"3\":[4.5,4.25],\"6\":[3.5,3.25]}");
    assertThat(text(root, "loss_steps")).isEqualTo("{\"3\":[10,20],\"6\":[10,20]}");
    assertThat(text(root, "validation")).isEqualTo("{\"3\":4.2,\"6\":3.2}");
    assertThat(root.getObject("machine").getString("kernels")).isEqualTo("simd512");
  }

  @Test
  void tracesAreThoseOfGenerate() {
    List<JsonObject> tokens =
        written(SampleResults.usual()).getObjects("samples").getFirst().getObjects("tokens");
    assertThat(Json.compact(tokens.get(0).fields()))
        .isEqualTo("{\"id\":7,\"text\":\" Once\",\"exit\":3,\"confidence\":0.93}");
    assertThat(tokens.get(1).getString("exit")).isEqualTo("final");
    assertThat(tokens.get(1).getString("text")).isEqualTo(SampleResults.HOSTILE);
    assertThat(tokens.get(2).getString("text")).isEqualTo("\ufffd");
  }

  @Test
  void aSpeedUpWithinTheErrorIsNoGain() {
    JsonObject root =
        written(
            SampleResults.with(
                List.of(SampleResults.full(), SampleResults.early(0.8, 1.019, 0.99))));
    assertThat(root.getObjects("sweep"))
        .extracting(point -> point.getString("verdict"))
        .containsExactly("within error", "within error");
  }

  @Test
  void anErrorThatIsNotKnownIsNull() {
    JsonObject root = written(SampleResults.with(List.of(SampleResults.early(0.8, 2, 0.99))));
    assertThat(text(root.getObject("measurement"), "error")).isEqualTo("null");
    assertThat(root.getObjects("sweep").getFirst().getString("verdict")).isEqualTo("within error");
  }

  @Test
  void emptyResultsStillHaveEveryList() {
    JsonObject root = written(SampleResults.empty());
    assertThat(root.getList("sweep")).isEmpty();
    assertThat(root.getObject("losses").fields()).isEmpty();
    assertThat(root.getList("samples")).isEmpty();
  }

  private static double number(JsonObject object, String field) {
    return object.getDouble(field, -1e9, 1e9);
  }
}
