package dev.sortie.nn.load;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.family.GenerationConfig;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.TinyGguf;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** There and back again: what convert writes is the same model, or nothing is written. */
class ModelConverterContractTest {
  private static final Kernels KERNELS = new ScalarKernels();
  private static final List<String> TEXTS = List.of("ab ba", "", " a  b", "Zoë\n東京", "</s>");

  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void safetensorsAndBackIsTheSameModel(DType dtype) {
    TinyGguf tiny = new TinyGguf().text("tokenizer.chat_template", "{{ messages }}");
    tiny.dtype = dtype;
    Path first = tiny.write(temp.resolve("first.gguf"));
    Path folder = toFolder(first, "folder", null);
    Path second = toGguf(folder, "second.gguf", null);
    assertThat(ChatTemplate.sources(folder))
        .containsExactly(Map.entry("default", "{{ messages }}"));
    try (ModelFiles a = ModelFiles.open(first);
        ModelFiles b = ModelFiles.open(folder);
        ModelFiles c = ModelFiles.open(second)) {
      assertSameWeights(a, c);
      assertThat(c.config()).isEqualTo(a.config());
      assertThat(b.config().decoder()).isEqualTo(a.config().decoder().withRopeInterleaved(false));
      assertThat(b.config().dtype()).contains(dtype);
      assertSameTokenizer(a, b);
      assertSameTokenizer(a, c);
      assertThat(((Gguf) c.stored()).metadata().getString("tokenizer.chat_template"))
          .isEqualTo("{{ messages }}");
    }
  }

  @Test
  void namedChatTemplatesAreKept() {
    Path first =
        new TinyGguf()
            .text("tokenizer.chat_template", "{{ messages }}")
            .text("tokenizer.chat_template.tool_use", "{{ tools }}")
            .write(temp.resolve("first.gguf"));
    Path folder = toFolder(first, "folder", null);
    Path second = toGguf(folder, "second.gguf", null);
    for (Path model : List.of(first, folder, second)) {
      assertThat(ChatTemplate.sources(model))
          .containsOnly(
              Map.entry("default", "{{ messages }}"), Map.entry("tool_use", "{{ tools }}"));
    }
  }

  @Test
  void rowsOfQueriesAndKeysAreReorderedWithinEachHead() {
    Path first = new TinyGguf().write(temp.resolve("first.gguf"));
    Path folder = toFolder(first, "folder", null);
    try (ModelFiles a = ModelFiles.open(first);
        ModelFiles b = ModelFiles.open(folder)) {
      for (String name : List.of("q_proj", "k_proj")) {
        String weight = "model.layers.0.self_attn." + name + ".weight";
        var pairs = a.weights().read(weight);
        var halves = b.weights().read(weight);
        for (int row = 0; row < pairs.length() / 32; row++) {
          int within = row % 16;
          int moved = row - within + (within % 2 == 0 ? within / 2 : 8 + within / 2);
          for (int column = 0; column < 32; column++) {
            assertThat(halves.get(moved * 32L + column)).isEqualTo(pairs.get(row * 32L + column));
          }
        }
      }
      String value = "model.layers.0.self_attn.v_proj.weight";
      assertThat(b.weights().read(value).segment().mismatch(a.weights().read(value).segment()))
          .isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q4_1", "IQ4_NL"})
  void quantisedMatricesAreDecodedForSafetensors(DType dtype) {
    TinyGguf tiny = new TinyGguf();
    tiny.dtype = dtype;
    Path first = tiny.write(temp.resolve("first.gguf"));
    Path folder = toFolder(first, "folder", null);
    try (ModelFiles a = ModelFiles.open(first);
        ModelFiles b = ModelFiles.open(folder)) {
      assertThat(b.config().dtype()).contains(DType.F32);
      String name = "model.layers.0.mlp.up_proj.weight";
      for (long i = 0; i < 32 * 32; i++) {
        assertThat(b.weights().read(name).get(i)).isEqualTo(a.weights().read(name).get(i));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "smollm", "llama-bpe", "qwen2"})
  void byteLevelTokenizersSurvive(String pre) {
    Path first =
        new TinyGguf()
            .byteLevel(List.of("<|end|>", "a", "b", "ab", "\u0120", "1"), List.of("a b"))
            .text("tokenizer.ggml.pre", pre)
            .whole("tokenizer.ggml.bos_token_id", 0)
            .whole("tokenizer.ggml.eos_token_id", 0)
            .flag("tokenizer.ggml.add_bos_token", true)
            .write(temp.resolve("first.gguf"));
    Path second = toGguf(toFolder(first, "folder", null), "second.gguf", null);
    try (ModelFiles a = ModelFiles.open(first);
        ModelFiles c = ModelFiles.open(second)) {
      assertSameTokenizer(a, c);
      assertThat(((Gguf) c.stored()).metadata().getString("tokenizer.ggml.pre")).isEqualTo(pre);
    }
  }

  /** GGUF has no field for it; the name of the model tells, as in llama.cpp. */
  @Test
  void tokensOfPhi3SwallowTheWhiteSpaceAfterThem() {
    Path phi = new TinyGguf().text("general.name", "Phi-3 mini").write(temp.resolve("a.gguf"));
    Path other = new TinyGguf().text("general.name", "Phi").write(temp.resolve("b.gguf"));
    EncodeOptions parsed = new EncodeOptions(false, true);
    try (ModelFiles a = ModelFiles.open(phi);
        ModelFiles b = ModelFiles.open(other)) {
      int[] joined = a.tokenizer().encode("</s>ab", parsed);
      assertThat(a.tokenizer().encode("</s> \n ab", parsed)).isEqualTo(joined);
      assertThat(a.tokenizer().encode("<s> ab", parsed))
          .isEqualTo(b.tokenizer().encode("<s> ab", parsed));
      assertThat(b.tokenizer().encode("</s> \n ab", parsed)).hasSizeGreaterThan(joined.length);
      Path folder = toFolder(phi, "phi-3", null);
      try (ModelFiles c = ModelFiles.open(folder);
          ModelFiles d = ModelFiles.open(toGguf(folder, "again.gguf", null))) {
        assertSameTokenizer(a, c);
        assertSameTokenizer(a, d);
      }
      Path renamed = toFolder(phi, "renamed", null);
      assertRefused(
          () -> toGguf(renamed, "lost.gguf", null),
          List.of("</s>", "rstrip true", "a model whose name has phi-3"));
    }
  }

  @Test
  void anotherTypeIsForTheMatrices() {
    Path first = new TinyGguf().write(temp.resolve("first.gguf"));
    Path half = toGguf(first, "half.gguf", DType.BF16);
    try (Gguf file = Gguf.open(half)) {
      file.tensors()
          .forEach(
              (name, info) ->
                  assertThat(info.dtype())
                      .as(name)
                      .isEqualTo(info.shape().size() == 1 ? DType.F32 : DType.BF16));
      assertThat(file.metadata().getInt("general.file_type", 0, 99)).isEqualTo(32);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "Q4_K"})
  void quantisedTypesAreForTheLayersAndLeaveTheTableInMoreBits(DType type) {
    Path first = new TinyGguf().write(temp.resolve("first.gguf"));
    Path small = toGguf(toFolder(first, "folder", null), "small.gguf", type);
    try (Gguf file = Gguf.open(small);
        Gguf exact = Gguf.open(first)) {
      file.tensors()
          .forEach(
              (name, info) ->
                  assertThat(info.dtype())
                      .as(name)
                      .isEqualTo(
                          info.shape().size() == 1
                              ? DType.F32
                              : name.equals("token_embd.weight")
                                  ? DType.Q8_0
                                  // rows of 32 elements are no blocks of Q4_K
                                  : type == DType.Q4_K ? DType.Q5_0 : type));
      var x = exact.read("blk.0.attn_q.weight");
      var y = file.read("blk.0.attn_q.weight");
      for (long i = 0; i < x.length(); i++) {
        assertThat(y.get(i)).isCloseTo(x.get(i), within(1.0 / 15));
      }
      assertThat(file.metadata().getInt("general.quantization_version", 0, 9)).isEqualTo(2);
    }
  }

  @Test
  void allIdsThatEndATextSurvive() {
    Path first =
        new TinyGguf()
            .whole("tokenizer.ggml.eot_token_id", 260)
            .whole("tokenizer.ggml.eom_token_id", 261)
            .write(temp.resolve("first.gguf"));
    Path folder = toFolder(first, "folder", null);
    try (ModelFiles a = ModelFiles.open(first);
        ModelFiles b = ModelFiles.open(folder);
        ModelFiles c = ModelFiles.open(toGguf(folder, "second.gguf", null))) {
      assertThat(a.config().eos()).containsExactly(2, 260, 261);
      assertThat(b.config().eos()).containsExactly(2, 260, 261);
      assertThat(c.config().eos()).containsExactly(2, 260, 261);
    }
  }

  /** Chat models name the end of a turn there. */
  @Test
  void idsOfTheGenerationConfigSurvive() throws IOException {
    Path folder = toFolder(new TinyGguf().write(temp.resolve("first.gguf")), "folder", null);
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [2, 260]}");
    Path again = toFolder(folder, "again", DType.BF16);
    assertThat(GenerationConfig.eos(again, 262)).containsExactly(2, 260);
    try (ModelFiles c = ModelFiles.open(toGguf(again, "second.gguf", null))) {
      assertThat(c.config().eos()).containsExactly(2, 260);
    }
  }

  @Test
  void aFailureLeavesNothing() throws IOException {
    Path first = new TinyGguf().write(temp.resolve("first.gguf"));
    byte[] bytes = Files.readAllBytes(first);
    bytes[bytes.length - 1] = (byte) 0xff; // the last float becomes NaN
    bytes[bytes.length - 2] = (byte) 0xff;
    Files.write(first, bytes);
    List<String> expected = List.of("first.gguf: tensor blk.0.ffn_down.weight", "NaN");
    assertRefused(() -> toGguf(first, "second.gguf", null), expected);
    assertRefused(() -> toFolder(first, "folder", null), expected);
    try (Stream<Path> left = Files.list(temp)) {
      assertThat(left).containsExactly(first);
    }
  }

  @Test
  void whatIsThereStaysAsItIs() {
    Path first = new TinyGguf().write(temp.resolve("first.gguf"));
    toFolder(first, "folder", null);
    assertRefused(() -> toFolder(first, "folder", null), List.of("folder: is there already"));
    assertRefused(
        () -> toFolder(first, "other", DType.Q8_0), List.of("safetensors cannot hold Q8_0"));
  }

  private Path toFolder(Path from, String name, DType type) {
    try (ModelFiles files = ModelFiles.open(from)) {
      AtomicFiles.writeFolder(
          temp.resolve(name),
          folder -> ModelConverter.toSafetensors(files, folder, type, KERNELS, (t, d, all) -> {}));
    }
    return temp.resolve(name);
  }

  private Path toGguf(Path from, String name, DType type) {
    long[] last = new long[2];
    try (ModelFiles files = ModelFiles.open(from)) {
      ModelConverter.toGguf(
          files,
          temp.resolve(name),
          type,
          KERNELS,
          (tensor, done, total) -> {
            assertThat(done).isBetween(last[0], total);
            last[0] = done;
            last[1] = total;
          });
    }
    assertThat(last[0]).as("bytes at the end").isEqualTo(last[1]).isPositive();
    return temp.resolve(name);
  }

  private static void assertSameWeights(ModelFiles a, ModelFiles b) {
    assertThat(b.weights().tensors().keySet()).isEqualTo(a.weights().tensors().keySet());
    for (String name : a.weights().tensors().keySet()) {
      var x = a.weights().read(name);
      var y = b.weights().read(name);
      assertThat(y.dtype()).as(name).isEqualTo(x.dtype());
      assertThat(y.segment().mismatch(x.segment())).as(name).isEqualTo(-1);
    }
  }

  private static void assertSameTokenizer(ModelFiles a, ModelFiles b) {
    for (String text : TEXTS) {
      int[] ids = a.tokenizer().encode(text);
      assertThat(b.tokenizer().encode(text)).as(text).containsExactly(ids);
      assertThat(b.tokenizer().decode(ids)).as(text).isEqualTo(a.tokenizer().decode(ids));
    }
    assertThat(b.tokenizer().bosId()).isEqualTo(a.tokenizer().bosId());
    assertThat(b.tokenizer().eosId()).isEqualTo(a.tokenizer().eosId());
  }
}
