package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.family.Families;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelConverter;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A converted model of each family computes what the original does. */
class FamilyConversionContractTest {
  @TempDir Path temp;

  /**
   * A model of the fixtures.
   *
   * @param from what of its configuration GGUF files have no word for
   * @param to what stands in its place, which makes another model of the same weights
   */
  record Sample(String name, String from, String to) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Sample> samples() {
    return Stream.of(
        new Sample("llama3", "", ""),
        new Sample("llama-linear", "", ""),
        new Sample("mistral", "\"sliding_window\": 5", "\"sliding_window\": null"),
        new Sample("qwen2", "", ""),
        new Sample("qwen3", "\"use_sliding_window\": true", "\"layer_types\": null"),
        new Sample("smollm3", "1,\n    0,\n    1", "1,\n    1,\n    1"),
        new Sample("gemma3", "\"query_pre_attn_scalar\": 9", "\"query_pre_attn_scalar\": 6"),
        new Sample("phi3", "", ""),
        new Sample("olmo2", "", ""),
        new Sample("gpt-neox", "", ""),
        new Sample("gpt2", "", ""));
  }

  /** A folder of a fixture with a tokenizer and an altered configuration. */
  private Path folder(Sample sample, boolean altered) throws IOException {
    Path from = Fixture.folder("families/" + sample.name);
    // no name of a family: the tokens of a GGUF file called phi3 swallow white space
    Path to = Files.createDirectories(temp.resolve("original"));
    Files.copy(from.resolve("model.safetensors"), to.resolve("model.safetensors"));
    Files.copy(from.resolveSibling("tokenizer.json"), to.resolve("tokenizer.json"));
    String config = Files.readString(from.resolve("config.json"));
    if (altered && !sample.from.isEmpty()) {
      assertThat(config).contains(sample.from);
      config = config.replace(sample.from, sample.to);
      if (sample.name.equals("qwen3")) {
        config = config.replaceFirst("\"layer_types\": \\[[^\\]]*\\],", "");
      }
      if (sample.name.equals("gemma3")) {
        config = config.replace("full_attention\",", "sliding_attention\",");
      }
    }
    Files.writeString(to.resolve("config.json"), config);
    return to;
  }

  @Test
  void everyFamilyWithGgufFilesIsTested() {
    Set<String> tested = new HashSet<>();
    samples()
        .forEach(s -> tested.add(HfConfig.read(Fixture.folder("families/" + s.name)).family()));
    assertThat(tested)
        .containsAll(
            Families.supported().stream()
                .filter(Families.Support::gguf)
                .map(Families.Support::modelType)
                .toList());
  }

  @ParameterizedTest
  @MethodSource("samples")
  void ggufAndGgufAgainComputeTheSame(Sample sample) throws IOException {
    Path folder = folder(sample, true);
    Path first = toGguf(folder, "first.gguf", null);
    Path second = toGguf(first, "second.gguf", null);
    try (Bench bench = Bench.open(1)) {
      Span wanted = logits(folder, sample, bench);
      Parity.near("logits of " + sample, logits(first, sample, bench), wanted, 1e-5);
      assertThat(second).hasSameBinaryContentAs(first);
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void aFolderMadeFromGgufHasTheNamesOfTheOriginalAndComputesTheSame(Sample sample)
      throws IOException {
    Path folder = folder(sample, true);
    Path gguf = toGguf(folder, "first.gguf", null);
    if (sample.name.equals("llama3")) {
      // its rotary factors are of no published model, so there is no telling where they come from
      assertThatThrownBy(() -> toFolder(gguf, "back", null))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("rotary factors", "config.json");
      assertThat(temp.resolve("back")).doesNotExist();
      return;
    }
    Path back = toFolder(gguf, "back", null);
    try (Bench bench = Bench.open(1);
        ModelFiles original = ModelFiles.open(folder);
        ModelFiles written = ModelFiles.open(back)) {
      assertThat(written.stored().tensors().keySet())
          .containsExactlyInAnyOrderElementsOf(original.stored().tensors().keySet());
      DecoderConfig wanted = original.config().decoder();
      assertThat(written.config().decoder()).isEqualTo(wanted);
      Span logits = logits(folder, sample, bench);
      Parity.near("logits of " + sample, logits(back, sample, bench), logits, 1e-5);
    }
  }

  private Path toFolder(Path from, String name, DType type) {
    try (Bench bench = Bench.open(1);
        ModelFiles files = ModelFiles.open(from)) {
      AtomicFiles.writeFolder(
          temp.resolve(name),
          to ->
              ModelConverter.toSafetensors(
                  files, to, type, bench.kernels(), (tensor, done, total) -> {}));
    }
    return temp.resolve(name);
  }

  @ParameterizedTest
  @MethodSource("samples")
  void whatGgufFilesCannotSayIsRefused(Sample sample) throws IOException {
    if (!sample.from.isEmpty()) {
      Path folder = folder(sample, false);
      assertThatThrownBy(() -> toGguf(folder, "no.gguf", null))
          .isInstanceOf(InputException.class)
          .hasMessageStartingWith(folder + ": ")
          .hasMessageNotContaining("\n");
      assertThat(temp.resolve("no.gguf")).doesNotExist();
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void safetensorsKeepTheirNamesInAnotherType(Sample sample) throws IOException {
    Path folder = folder(sample, false);
    Path other = temp.resolve("other");
    try (Bench bench = Bench.open(1);
        ModelFiles files = ModelFiles.open(folder)) {
      AtomicFiles.writeFolder(
          other,
          to ->
              ModelConverter.toSafetensors(
                  files, to, DType.F32, bench.kernels(), (name, done, total) -> {}));
      try (ModelFiles written = ModelFiles.open(other)) {
        assertThat(written.stored().tensors().keySet())
            .containsExactlyElementsOf(files.stored().tensors().keySet());
        assertThat(written.config().decoder()).isEqualTo(files.config().decoder());
        assertThat(written.config().dtype()).contains(DType.F32);
      }
      Parity.same(
          "logits of " + sample, logits(other, sample, bench), logits(folder, sample, bench));
    }
  }

  private Path toGguf(Path from, String name, DType type) {
    try (Bench bench = Bench.open(1);
        ModelFiles files = ModelFiles.open(from)) {
      ModelConverter.toGguf(
          files, temp.resolve(name), type, bench.kernels(), (tensor, done, total) -> {});
    }
    return temp.resolve(name);
  }

  private static Span logits(Path path, Sample sample, Bench bench) {
    try (LanguageModel model = LanguageModel.load(path, Precision.F32, bench.device());
        Fixture fixture = Fixture.open("families/" + sample.name)) {
      Tensor ids = fixture.ids(bench, "input_ids");
      return NoGrad.call(() -> model.decoder().forward(bench.ops(), ids)).span();
    }
  }
}
