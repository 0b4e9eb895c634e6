package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.ids;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * {@code --dtype}: a model is used as its file has it, with {@code --exact} with the bits of a copy
 * in F32.
 */
class MatrixTypeContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  /** In blocks, whose decoding F32 does exactly. */
  private static TinyCommands quantised;

  @BeforeAll
  static void makeModel() throws IOException {
    Path model = TinyModel.write(shared.resolve("wide"), 3, 32, 290, 1);
    Path gguf = shared.resolve("wide.gguf");
    CommandLineRun.line("convert %s --quantize q8_0 --out %s", model, gguf).succeeded();
    Path data = Files.writeString(shared.resolve("data"), TinyModel.TEXT.repeat(20));
    quantised = new TinyCommands(gguf, shared.resolve("exits"), data);
    quantised.run("add-exits --at 1,2 --seed 3 --out %s", quantised.exits()).succeeded();
  }

  @Test
  void everyCommandButTuneLeavesMatricesAsTheFileHasThem() {
    Map<String, String> defaults = new TreeMap<>();
    for (Map.Entry<String, CommandLine> e : Main.commandLine().getSubcommands().entrySet()) {
      var option = e.getValue().getCommandSpec().findOption("--dtype");
      if (option != null) {
        defaults.put(e.getKey(), option.defaultValue());
      }
    }
    assertThat(defaults).containsEntry("tune", "f32");
    defaults.remove("tune");
    assertThat(defaults)
        .containsKeys("generate", "chat", "score", "eval", "calibrate", "doctor", "add-exits")
        .allSatisfy((command, type) -> assertThat(type).as(command).isEqualTo("file"));
  }

  @Test
  void whatIsGeneratedIsThatOfACopyInF32() {
    JsonObject inPlace = quantised.generate("--max-tokens 12 --exact").json();
    JsonObject copied = quantised.generate("--max-tokens 12 --dtype f32").json();
    assertThat(ids(inPlace)).isEqualTo(ids(copied));
    assertThat(confidences(inPlace)).isEqualTo(confidences(copied));
    assertThat(inPlace.getString("arithmetic")).isEqualTo("exact");
    assertThat(copied.getString("arithmetic")).isEqualTo("exact");
    JsonObject used = inPlace.getObject("memory");
    JsonObject taken = copied.getObject("memory");
    assertThat(used.getLong("copied_bytes", 0, 0)).isZero();
    assertThat(used.getLong("in_place_bytes", 1, 1 << 20))
        .isLessThan(taken.getLong("copied_bytes", 1, 1 << 20) / 3);
  }

  private static Object confidences(JsonObject generation) {
    return generation.getObjects("tokens").stream().map(t -> t.fields().get("confidence")).toList();
  }

  @Test
  void aScoreIsThatOfACopyInF32() {
    String score = "score --json --file %s";
    JsonObject inPlace = quantised.run(score + " --exact", quantised.data()).json();
    JsonObject copied = quantised.run(score + " --dtype f32", quantised.data()).json();
    assertThat(inPlace.getObjects("heads").getFirst().fields())
        .isEqualTo(copied.getObjects("heads").getFirst().fields());
  }

  @Test
  void withoutBeingExactBlocksAreMultipliedInIntegers() {
    JsonObject integer = quantised.generate("--max-tokens 12").json();
    JsonObject exact = quantised.generate("--max-tokens 12 --exact").json();
    assertThat(integer.getString("arithmetic")).isEqualTo("integer");
    JsonObject memory = integer.getObject("memory");
    assertThat(memory.getLong("tiles_bytes", 1, 1 << 20))
        .isGreaterThan(memory.getLong("in_place_bytes", 1, 1 << 20));
    assertThat(confidences(integer)).isNotEqualTo(confidences(exact));

    String score = "score --json --file %s";
    JsonObject scored = quantised.run(score, quantised.data()).json();
    assertThat(scored.getString("arithmetic")).isEqualTo("integer");
    JsonObject last = scored.getObjects("heads").getLast();
    JsonObject exactly =
        quantised.run(score + " --exact", quantised.data()).json().getObjects("heads").getLast();
    assertThat(last.getDouble("nll", 0, 100))
        .isNotEqualTo(exactly.getDouble("nll", 0, 100))
        .isCloseTo(exactly.getDouble("nll", 0, 100), withinPercentage(0.2));
  }

  @Test
  void exitsThatAreMadeAndTunedAreThoseOfACopyInF32() {
    Path copied = temp.resolve("copied");
    quantised.run("add-exits --dtype f32 --at 1,2 --seed 3 --out %s", copied).succeeded();
    assertThat(hash(quantised.exits())).isEqualTo(hash(copied));
    Path inPlace = temp.resolve("tuned in place");
    Path exact = temp.resolve("tuned");
    quantised.tune(copied, inPlace, "--dtype file").succeeded();
    quantised.tune(copied, exact, "").succeeded();
    assertThat(hash(inPlace)).isEqualTo(hash(exact));
  }

  /**
   * What thresholds and the types of exits go by must not depend on the layers that a rank holds.
   */
  @Test
  void allStagesNameTheSameTypeOfAFileWithSeveral() {
    Path mixed = Altered.copy(shared.resolve("wide"), temp.resolve("mixed"));
    Altered.bf16(mixed.resolve("model.safetensors"), "model.layers.0.self_attn.q_proj.weight");
    try (Device device = Device.cpu(1)) {
      for (int stage = 0; stage < 3; stage++) {
        String held = "model.layers." + stage + ".";
        DecoderBuilder part = DecoderBuilder.part(name -> name.startsWith(held));
        assertThat(type(mixed, Precision.FILE, device, part)).isEqualTo(DType.BF16);
        assertThat(type(mixed, Precision.F32, device, part)).isEqualTo(DType.F32);
      }
    }
  }

  private static DType type(Path model, Precision as, Device device, DecoderBuilder part) {
    try (LanguageModel m = LanguageModel.load(ModelFiles.open(model), as, device, part)) {
      return m.matrixType();
    }
  }

  private static String hash(Path exits) {
    return Sha256.of(exits.resolve("exits.safetensors"));
  }
}
