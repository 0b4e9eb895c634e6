package dev.sortie.nn.family;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static dev.sortie.nn.format.FormatFixtures.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.dtype.DType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Llama configurations are read as transformers means them; anything else is refused by name. */
@Tag("any-kernels")
class HfConfigContractTest {
  private static final String GOOD =
      """
      {"model_type": "llama", "architectures": ["LlamaForCausalLM"],
       "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
       "num_attention_heads": 8, "num_key_value_heads": 4, "vocab_size": 512,
       "max_position_embeddings": 256, "rms_norm_eps": 1e-05, "rope_theta": 20000,
       "hidden_act": "silu", "attention_bias": false, "mlp_bias": false, "rope_scaling": null,
       "tie_word_embeddings": true, "bos_token_id": 1, "eos_token_id": [2, 7],
       "torch_dtype": "bfloat16", "transformers_version": "4.40.0"}
      """;
  private static final String SHORT =
      """
      {"model_type": "llama", "hidden_size": 64, "intermediate_size": 172, "num_hidden_layers": 5,
       "num_attention_heads": 8, "vocab_size": 512, "max_position_embeddings": 256}
      """;

  @TempDir Path folder;

  private HfConfig read(String json) {
    write(folder.resolve("config.json"), json);
    return HfConfig.read(folder);
  }

  @Test
  void everyFieldIsRead() {
    assertThat(read(GOOD))
        .isEqualTo(
            new HfConfig(
                new DecoderConfig(
                    5, 64, 8, 4, 8, 172, 512, 256, 1e-5, 20000, false, false, false, true),
                OptionalInt.of(1),
                List.of(2, 7),
                Optional.of(DType.BF16)));
  }

  @Test
  void missingFieldsTakeTheDefaultsOfLlamaConfig() {
    assertThat(read(SHORT))
        .isEqualTo(
            new HfConfig(
                new DecoderConfig(
                    5, 64, 8, 8, 8, 172, 512, 256, 1e-6, 10000, false, false, false, false),
                OptionalInt.of(1),
                List.of(2),
                Optional.empty()));
  }

  @Test
  void nullMeansDefaultForSizesAndNoneForTokens() {
    HfConfig config =
        read(
            SHORT.replace(
                "}",
                ", \"head_dim\": null, \"num_key_value_heads\": null, \"bos_token_id\": null,"
                    + " \"eos_token_id\": null}"));
    assertThat(config.decoder().kvHeads()).isEqualTo(8);
    assertThat(config.decoder().headSize()).isEqualTo(8);
    assertThat(config.bos()).isEmpty();
    assertThat(config.eos()).isEmpty();
  }

  @Test
  void newerSpellingsAreRead() {
    HfConfig config =
        read(
            SHORT.replace(
                "}",
                ", \"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\": \"default\"},"
                    + " \"dtype\": \"float16\", \"head_dim\": 16, \"mlp_bias\": true}"));
    assertThat(config.decoder().ropeTheta()).isEqualTo(500_000);
    assertThat(config.decoder().headSize()).isEqualTo(16);
    assertThat(config.decoder().mlpBias()).isTrue();
    assertThat(config.dtype()).contains(DType.F16);
  }

  @Test
  void whatIsWrittenIsReadBackAndDeterministic() {
    for (String json : List.of(GOOD, SHORT)) {
      HfConfig config = read(json);
      Path one = folder.resolve("one.json");
      Path two = folder.resolve("two.json");
      HfConfigWriter.write(one, config);
      HfConfigWriter.write(two, config);
      assertThat(HfConfig.read(one)).isEqualTo(config);
      assertThat(one).hasSameBinaryContentAs(two);
      assertThat(one)
          .content()
          .startsWith("{\n  \"architectures\"")
          .endsWith("}\n")
          .doesNotContain("\r");
    }
  }

  @Test
  void tokensOutsideTheVocabularyAreRefusedInCodeToo() {
    DecoderConfig decoder = read(SHORT).decoder();
    assertThatThrownBy(
            () -> new HfConfig(decoder, OptionalInt.of(512), List.of(), Optional.empty()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("bos_token_id is 512");
  }

  /** An edit of the good file, and what the message must say. */
  enum Corruption {
    HANDCRAFTED_FAMILY("\"llama\"", "\"gptj\"", "model_type", "\"gptj\"", "supported: llama"),
    HANDCRAFTED_FAMILY_OF_EXPERTS(
        "\"llama\"", "\"mixtral\"", "model_type", "\"mixtral\"", "supported: llama"),
    HANDCRAFTED_EXPERTS(
        "\"hidden_act\"", "\"num_local_experts\": 8, \"hidden_act\"", "num_local_experts", "8"),
    HANDCRAFTED_SOFTCAP(
        "\"hidden_act\"",
        "\"attn_logit_softcapping\": 50.0, \"hidden_act\"",
        "attn_logit_softcapping",
        "50.0"),
    HANDCRAFTED_BOTH_WAYS(
        "\"hidden_act\"", "\"is_causal\": false, \"hidden_act\"", "is_causal", "false", "true"),
    HANDCRAFTED_WINDOW(
        "\"hidden_act\"", "\"sliding_window\": 8, \"hidden_act\"", "sliding_window", "8", "null"),
    HANDCRAFTED_NO_FAMILY(
        "\"model_type\": \"llama\",", "", "model_type", "missing", "supported: llama"),
    HANDCRAFTED_ARCHITECTURE(
        "LlamaForCausalLM", "LlamaModel", "architectures", "LlamaModel", "LlamaForCausalLM"),
    HANDCRAFTED_ACTIVATION("\"silu\"", "\"gelu\"", "hidden_act", "\"gelu\"", "silu"),
    HANDCRAFTED_ROPE_SCALING(
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"rope_type\": \"longrope\"}",
        "rope_scaling.rope_type",
        "\"longrope\"",
        "llama3"),
    HANDCRAFTED_ROPE_SCALING_FIELD(
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0}",
        "rope_scaling.low_freq_factor",
        "missing"),
    HANDCRAFTED_ROPE_SCALING_ORDER(
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 4, \"high_freq_factor\": 1}",
        "high_freq_factor 1.0"),
    HANDCRAFTED_TWO_ROPE_SCALINGS(
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.0}, \"rope_parameters\": {}",
        "rope_scaling",
        "rope_parameters"),
    HANDCRAFTED_ROPE_TYPE(
        "\"rope_theta\": 20000",
        "\"rope_parameters\": {\"rope_type\": \"dynamic\"}",
        "rope_parameters.rope_type",
        "\"dynamic\"",
        "default"),
    HANDCRAFTED_ROPE_FIELD(
        "\"rope_theta\": 20000",
        "\"rope_parameters\": {\"factor\": 8.0}",
        "rope_parameters.factor",
        "rope_theta"),
    HANDCRAFTED_TWO_ROPE_BASES(
        "\"rope_theta\": 20000",
        "\"rope_theta\": 1e4, \"rope_parameters\": {\"rope_theta\": 5e5}",
        "rope_theta",
        "10000",
        "500000"),
    HANDCRAFTED_PARTIAL_ROTARY(
        "\"hidden_act\"",
        "\"partial_rotary_factor\": 0.5, \"hidden_act\"",
        "partial_rotary_factor",
        "0.5",
        "1.0"),
    HANDCRAFTED_QUANTISED(
        "\"hidden_act\"",
        "\"quantization_config\": {}, \"hidden_act\"",
        "quantization_config",
        "null"),
    HANDCRAFTED_SIZE_MISSING("\"hidden_size\": 64,", "", "hidden_size", "missing", "an integer"),
    HANDCRAFTED_SIZE_FLOAT(
        "\"hidden_size\": 64", "\"hidden_size\": 64.0", "hidden_size", "64.0", "an integer"),
    HANDCRAFTED_SIZE_TEXT(
        "\"hidden_size\": 64", "\"hidden_size\": \"64\"", "hidden_size", "\"64\"", "an integer"),
    HANDCRAFTED_SIZE_ZERO(
        "\"num_hidden_layers\": 5", "\"num_hidden_layers\": 0", "num_hidden_layers", "0", "from 1"),
    HANDCRAFTED_SIZE_NEGATIVE(
        "\"vocab_size\": 512", "\"vocab_size\": -1", "vocab_size", "-1", "from 1"),
    HANDCRAFTED_SIZE_BEYOND_INT(
        "\"vocab_size\": 512",
        "\"vocab_size\": 4294967808",
        "vocab_size",
        "4294967808",
        "2147483647"),
    HANDCRAFTED_SIZE_BEYOND_LONG(
        "\"vocab_size\": 512",
        "\"vocab_size\": 18446744073709552128",
        "vocab_size",
        "18446744073709552128"),
    HANDCRAFTED_SIZE_BEYOND_MODEL(
        "\"num_hidden_layers\": 5",
        "\"num_hidden_layers\": 5000",
        "num_hidden_layers",
        "5000",
        "4096"),
    HANDCRAFTED_HEADS(
        "\"num_attention_heads\": 8", "\"num_attention_heads\": 12", "hidden_size", "64", "12"),
    HANDCRAFTED_KV_HEADS(
        "\"num_key_value_heads\": 4",
        "\"num_key_value_heads\": 3",
        "num_key_value_heads",
        "3",
        "8"),
    HANDCRAFTED_NORM_EPS("1e-05", "true", "rms_norm_eps", "true", "a number"),
    HANDCRAFTED_NORM_EPS_ZERO("1e-05", "0", "rms_norm_eps", "0.0"),
    HANDCRAFTED_NAN("1e-05", "NaN", "not strict JSON", "NaN"),
    HANDCRAFTED_INFINITE("\"rope_theta\": 20000", "\"rope_theta\": 1e999", "rope_theta", "1e999"),
    HANDCRAFTED_FLAG(
        "\"attention_bias\": false",
        "\"attention_bias\": 0",
        "attention_bias",
        "0",
        "true or false"),
    HANDCRAFTED_EOS("[2, 7]", "[2, 512]", "eos_token_id", "512", "511"),
    HANDCRAFTED_EOS_ITEM("[2, 7]", "[2, null]", "eos_token_id[1]", "null", "an integer"),
    HANDCRAFTED_BOS("\"bos_token_id\": 1", "\"bos_token_id\": -1", "bos_token_id", "-1", "from 0"),
    HANDCRAFTED_DTYPE("bfloat16", "int8", "torch_dtype", "\"int8\"", "bfloat16"),
    HANDCRAFTED_TWO_DTYPES(
        "\"transformers_version\"",
        "\"dtype\": \"float32\", \"transformers_version\"",
        "torch_dtype",
        "bfloat16",
        "float32"),
    HANDCRAFTED_DUPLICATE(
        "\"vocab_size\": 512",
        "\"vocab_size\": 512, \"vocab_size\": 513",
        "Duplicate",
        "vocab_size"),
    HANDCRAFTED_CUT("\"transformers_version\": \"4.40.0\"}", "", "not strict JSON", "line");

    private final String from;
    private final String to;
    private final List<String> message;

    Corruption(String from, String to, String... message) {
      this.from = from;
      this.to = to;
      this.message = List.of(message);
    }
  }

  /**
   * What classes of transformers 5.24 have where a file says nothing: the base of rotation, and the
   * window of each of 32 layers, {@code .} for none.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mistral | | 1e4 | 4096*32",
        "mistral | \"sliding_window\": null | 1e4 | .*32",
        "phi3    | | 1e4 | .*32",
        "qwen2   | | 1e4 | .*32",
        "qwen2   | \"use_sliding_window\": true | 1e4 | .*28 4096*4",
        "qwen2   | \"use_sliding_window\": true, \"sliding_window\": null | 1e4 | .*32",
        "qwen3   | \"use_sliding_window\": true, \"sliding_window\": 64 | 1e4 | .*28 64*4",
        "qwen3   | \"use_sliding_window\": true, \"max_window_layers\": 30 | 1e4 | .*30 4096*2",
        "smollm3 | | 2e6 | .*32",
        "smollm3 | \"use_sliding_window\": true | 2e6 | .*32",
        "smollm3 | \"use_sliding_window\": true, \"sliding_window\": 64, \"no_rope_layer_interval\": 8"
            + " | 2e6 | .*7 64*1 .*7 64*1 .*7 64*1 .*7 64*1",
      })
  void missingFieldsAreThoseOfTheFamily(
      String family, String fields, double theta, String windows) {
    String json =
        SHORT
            .replace("\"llama\"", "\"" + family + "\"" + (fields == null ? "" : ", " + fields))
            .replace("\"num_hidden_layers\": 5", "\"num_hidden_layers\": 32");
    DecoderConfig read = read(json).decoder();
    assertThat(read.ropeTheta()).isEqualTo(theta);
    List<Integer> expected = new ArrayList<>();
    for (String run : windows.split(" ")) {
      String[] parts = run.split("\\*");
      int window = parts[0].equals(".") ? Integer.MAX_VALUE : Integer.parseInt(parts[0]);
      expected.addAll(Collections.nCopies(Integer.parseInt(parts[1]), window));
    }
    assertThat(IntStream.range(0, 32).map(i -> read.switches().layer(i).window()).boxed())
        .containsExactlyElementsOf(expected);
  }

  /**
   * Found by mutation: what a family says of each layer was listed before the count was checked.
   */
  @Test
  void layersBeyondMemoryAreRefusedInAFamilyWithWindows() {
    String mistral =
        GOOD.replace("\"model_type\": \"llama\"", "\"model_type\": \"mistral\"")
            .replace("LlamaForCausalLM", "MistralForCausalLM")
            .replace(
                "\"num_hidden_layers\": 5",
                "\"num_hidden_layers\": 2147483647, \"sliding_window\": 8");
    assertRefused(() -> read(mistral), List.of("num_hidden_layers", "2147483647", "4096"));
  }

  @ParameterizedTest
  @EnumSource
  void everyCorruptionIsRefusedByName(Corruption corruption) {
    assertThat(GOOD).contains(corruption.from);
    String bad = GOOD.replace(corruption.from, corruption.to);
    assertRefused(() -> read(bad), corruption.message);
    assertRefused(() -> read(bad), List.of(folder.resolve("config.json").toString()));
  }

  @Test
  void truncationAnywhereIsRefused() {
    String right = GOOD.strip();
    for (int length = 0; length < right.length(); length++) {
      String cut = right.substring(0, length);
      assertRefused(() -> read(cut), List.of("config.json: "));
    }
  }

  /** Each bit of each byte: another name is an unknown field, another number another model. */
  @Test
  void anyOtherByteIsRefusedOrGivesAConfiguration() {
    byte[] right = GOOD.strip().getBytes(StandardCharsets.UTF_8);
    int refused = 0;
    for (int at = 0; at < right.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] bytes = right.clone();
        bytes[at] ^= (byte) (1 << bit);
        write(folder.resolve("config.json"), bytes);
        try {
          HfConfig.read(folder);
        } catch (InputException e) {
          assertThat(e.getMessage()).hasLineCount(1);
          assertThat(e.getMessage().chars()).noneMatch(Character::isISOControl);
          refused++;
        }
      }
    }
    assertThat(refused).isBetween(right.length, 8 * right.length - 1);
  }
}
