package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code convert --share-basis}, and what can be done with the result. */
@Tag("any-kernels")
class SharedBasesCommandContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  private static CommandLineRun convert(Path from, Path to, String more) {
    return CommandLineRun.line("convert %s --threads 1 --out %s " + more, from, to);
  }

  private static Path share(Path to, String more) {
    convert(tiny.model(), to, "--data %s --samples 8 --seq-len 24 ".formatted(tiny.data()) + more)
        .succeeded();
    return to;
  }

  private TinyCommands of(Path model) {
    return new TinyCommands(model, temp.resolve("exits of " + model.getFileName()), tiny.data());
  }

  private double nll(Path model) {
    JsonObject score = of(model).run("score --file %s --json", tiny.data()).json();
    return score.getObjects("heads").getFirst().getDouble("nll", 0, 100);
  }

  @Test
  void atFullRankItIsTheSameModel() {
    double expected = nll(tiny.model());
    String text =
        of(tiny.model()).generate("--temperature 0 --max-tokens 12").json().getString("text");
    for (int layers = 1; layers <= 3; layers++) {
      Path full = share(temp.resolve("full" + layers), "--share-basis " + layers + " --rank 16");
      assertThat(nll(full)).isCloseTo(expected, within(1e-4));
      assertThat(of(full).generate("--temperature 0 --max-tokens 12").json().getString("text"))
          .isEqualTo(text);
    }
    Path less = share(temp.resolve("less"), "--share-basis 2 --rank 3");
    assertThat(Math.abs(nll(less) - expected)).isGreaterThan(1e-3);
  }

  /** One conversion at full rank serves all ranks below it. */
  @Test
  void cuttingBasesGivesThoseOfTheLowerRank() throws IOException {
    Path full = share(temp.resolve("full"), "--share-basis 2 --rank 16");
    Path direct = share(temp.resolve("direct"), "--share-basis 2 --keep 0.6");
    Path cut = temp.resolve("cut");
    convert(full, cut, "--keep 0.6").succeeded();
    assertThat(cut.resolve("model.safetensors"))
        .hasSameBinaryContentAs(direct.resolve("model.safetensors"));
    assertThat(Files.readString(cut.resolve("config.json")))
        .isEqualTo(Files.readString(direct.resolve("config.json")));
  }

  @Test
  void theResultIsDescribed() {
    Path out = temp.resolve("out");
    CommandLineRun run =
        convert(
            tiny.model(),
            out,
            "--share-basis 2 --keep 0.6 --json --samples 8 --seq-len 24 --data " + tiny.data());
    JsonObject bases = run.succeeded().json().getObject("shared_bases");
    assertThat(bases.getObjects("projections")).hasSize(7);
    JsonObject q = bases.getObjects("projections").getFirst();
    assertThat(q.getString("projection")).isEqualTo("self_attn.q_proj");
    assertThat(q.getInt("layers", 1, 9)).isEqualTo(2);
    assertThat(q.getInt("rank", 1, 99)).isEqualTo(6); // 0.6 * 16 * 32 / 48
    assertThat(q.getDouble("lost", 0, 1)).isPositive();
    long before = bases.getLong("elements_before", 1, 1 << 20);
    assertThat(bases.getLong("elements", 1, 1 << 20)).isBetween(before / 2, before * 2 / 3);
    JsonObject config = Json.read(out.resolve("config.json"));
    assertThat(config.getString("model_type")).isEqualTo("sortie_shared_bases");
    assertThat(config.getObject("shared_bases").getString("model_type")).isEqualTo("llama");
    Path halves = temp.resolve("halves");
    convert(out, halves, "--quantize bf16").succeeded();
    assertThat(nll(halves)).isCloseTo(nll(out), within(0.05));
  }

  @Test
  void exitsAreTunedOnItAndLeaveEarly() {
    TinyCommands model = of(share(temp.resolve("model"), "--share-basis 2 --rank 8"));
    model.run("add-exits --at 1,2 --arch norm --out %s", model.exits()).succeeded();
    Path tuned = temp.resolve("tuned");
    model.tune(model.exits(), tuned, "").succeeded();
    JsonObject early =
        model
            .run(
                "generate --json --prompt %s --exits %s --active all --threshold 0 --temperature 0 --max-tokens 6",
                "The hen", tuned)
            .json();
    assertThat(TinyCommands.exitsOf(early)).contains(1L);
  }

  @Test
  void whatCannotBeDoneIsRefusedInOneLine() throws IOException {
    Path out = temp.resolve("out");
    String data = "--data %s --samples 8 --seq-len 24 ".formatted(tiny.data());
    convert(tiny.model(), out, data + "--share-basis 2 --rank 0")
        .assertRefused(1, "--rank 0", "1 to 16");
    convert(tiny.model(), out, data + "--share-basis 2 --rank 17")
        .assertRefused(1, "--rank 17", "1 to 16");
    convert(tiny.model(), out, data + "--share-basis 4 --rank 8")
        .assertRefused(1, "--share-basis 4", "1 to 3");
    convert(tiny.model(), out, data + "--share-basis 2 --keep 0.01")
        .assertRefused(1, "--keep 0.01", "no rank");
    convert(tiny.model(), out, data + "--share-basis 2 --keep 1.5")
        .assertRefused(2, "--keep 1.5", "up to 1");
    convert(tiny.model(), out, data + "--share-basis 2").assertRefused(2, "--rank", "--keep");
    convert(tiny.model(), out, data).assertRefused(2, "--data", "--share-basis");
    convert(tiny.model(), out, "--rank 4").assertRefused(1, "shares no bases", "--share-basis");
    convert(tiny.model(), out, "--share-basis 2 --rank 4").assertRefused(2, "--data");
    convert(tiny.model(), out, data + "--samples 9000 --share-basis 2 --rank 4")
        .assertRefused(2, "--samples");
    convert(
            tiny.model(),
            out,
            "--data %s --seq-len 24 --samples 9000 --share-basis 2 --rank 4".formatted(tiny.data()))
        .assertRefused(1, "--data", "9000");
    convert(
            tiny.model(),
            out,
            "--data %s --seq-len 49 --samples 2 --share-basis 2 --rank 4".formatted(tiny.data()))
        .assertRefused(1, "--seq-len 49", "48");
    convert(tiny.model(), Path.of(out + ".gguf"), data + "--share-basis 2 --rank 4")
        .assertRefused(2, "GGUF", "shared bases");
    convert(tiny.model(), out, data + "--share-basis 2 --rank 4 --quantize q4_0")
        .assertRefused(2, "safetensors cannot hold Q4_0");
    Path gguf = temp.resolve("model.gguf");
    convert(tiny.model(), gguf, "").succeeded();
    convert(gguf, out, data + "--share-basis 2 --rank 4").assertRefused(1, "model.gguf", "folder");
    assertThat(out).doesNotExist();
  }

  @Test
  void whatAModelWithSharedBasesCannotDoIsRefusedInOneLine() throws IOException {
    Path model = share(temp.resolve("model"), "--share-basis 2 --rank 8");
    Path out = temp.resolve("out");
    String data = "--data %s --samples 8 --seq-len 24 ".formatted(tiny.data());
    convert(model, out, data + "--share-basis 2 --rank 4").assertRefused(1, "share bases already");
    convert(model, out, "--rank 9").assertRefused(1, "--rank 9", "1 to 8");
    convert(model, out, data + "--rank 4").assertRefused(2, "--data");
    convert(model, temp.resolve("model.gguf"), "").assertRefused(1, "share bases", "GGUF");
    of(model)
        .run("add-exits --at 1 --arch mlp --out %s", out)
        .assertRefused(1, "mlp", "--init random");
    Path config = model.resolve("config.json");
    String text = Files.readString(config);
    for (Map.Entry<String, String> wrong :
        Map.of(
                "\"rank\": 8", "\"rank\": 80",
                "\"layers\": 2", "\"layers\": 4",
                "\"self_attn.q_proj\"", "\"self_attn.s_proj\"",
                "sortie_shared_bases", "llama")
            .entrySet()) {
      assertThat(text).contains(wrong.getKey());
      Files.writeString(config, text.replaceFirst(wrong.getKey(), wrong.getValue()));
      of(model).run("score --file %s", tiny.data()).assertRefused(1, "config.json", "shared_bases");
    }
  }
}
