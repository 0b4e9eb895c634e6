package dev.sortie.nn.family;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.GgufValue;
import dev.sortie.nn.format.TinyGguf;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.text.EncodeOptions;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sound containers with metadata that would do harm when it is used as a size or an index, or asks
 * for arithmetic that is not there.
 */
@Tag("any-kernels")
class GgufCheckpointRejectContractTest {
  private static final String LLAMA = "llama.";
  private static final String TOKENIZER = "tokenizer.ggml.";

  @TempDir Path folder;

  /** What is changed in a valid model, and what the message must say. */
  enum Corruption {
    OTHER_FAMILY(m -> m.text("general.architecture", "mamba"), "\"mamba\"", "supported: llama"),
    NO_FAMILY(m -> m.metadata.remove("general.architecture"), "general.architecture is missing"),
    ADAPTER(m -> m.text("general.type", "adapter"), "general.type is \"adapter\"", "\"model\""),
    SPLIT(m -> m.whole("split.count", 3), "split.count is 3", "--merge"),
    LAYERS_MISSING(m -> m.metadata.remove(LLAMA + "block_count"), "block_count is missing"),
    LAYERS_ZERO(m -> m.whole(LLAMA + "block_count", 0), "block_count is 0", "1 to 4096"),
    LAYERS_HUGE(m -> m.whole(LLAMA + "block_count", 4097), "block_count is 4097", "1 to 4096"),
    LAYERS_MORE(m -> m.whole(LLAMA + "block_count", 2), "blk.1.attn_norm.weight is missing"),
    LAYERS_TEXT(m -> m.text(LLAMA + "block_count", "1"), "block_count is \"1\"", "an integer"),
    LAYERS_REAL(m -> m.real(LLAMA + "block_count", 1), "block_count is 1.0 FLOAT32", "an integer"),
    HIDDEN_OTHER(
        m -> m.whole(LLAMA + "embedding_length", 64), "rope.dimension_count is 16", "head size 32"),
    HEADS_DO_NOT_DIVIDE(
        m -> m.whole(LLAMA + "attention.head_count", 3).whole(LLAMA + "attention.head_count_kv", 3),
        "embedding_length is 32",
        "a multiple of head_count 3"),
    HEADS_ZERO(m -> m.whole(LLAMA + "attention.head_count", 0), "head_count is 0", "1 to"),
    KV_HEADS_DO_NOT_DIVIDE(
        m -> m.whole(LLAMA + "attention.head_count", 4).whole(LLAMA + "attention.head_count_kv", 3),
        "head_count_kv is 3",
        "a divisor of head_count 4"),
    KV_HEADS_MORE(
        m -> m.whole(LLAMA + "attention.head_count_kv", 4), "head_count_kv is 4", "1 to 2"),
    HEADS_LIST(
        m -> m.metadata.put(LLAMA + "attention.head_count", GgufValue.Array.of(2)),
        "head_count is a list of 1 INT32",
        "an integer"),
    HEAD_SIZE_ODD(
        m -> m.whole(LLAMA + "attention.key_length", 15), "key_length is 15", "an even head size"),
    VALUE_SIZE_OTHER(
        m -> m.whole(LLAMA + "attention.value_length", 8), "value_length is 8", "head size 16"),
    ROTARY_PART(m -> m.whole(LLAMA + "rope.dimension_count", 8), "dimension_count is 8", "16"),
    ROTARY_SCALED(
        m -> m.text(LLAMA + "rope.scaling.type", "longrope"),
        "scaling.type is \"longrope\"",
        "\"none\""),
    ROTARY_FACTOR(m -> m.real(LLAMA + "rope.scaling.factor", 0.5f), "factor 0.5", "from 1"),
    ROTARY_FACTORS(
        m -> m.tensors.put("rope_freqs.weight", List.of(8L)), "rotary factor -0.5", "between 0"),
    ROTARY_FACTORS_LONG(
        m -> m.tensors.put("rope_factors_long.weight", List.of(8L)),
        "\"rope_factors_long.weight\"",
        "not supported"),
    WINDOW(m -> m.whole(LLAMA + "attention.sliding_window", 8), "sliding_window is 8", "0 in the"),
    ROTARY_BASE(m -> m.real(LLAMA + "rope.freq_base", 0), "freq_base is 0.0", "between 1.0"),
    ROTARY_BASE_NAN(m -> m.real(LLAMA + "rope.freq_base", Float.NaN), "freq_base is NaN"),
    EPSILON_MISSING(
        m -> m.metadata.remove(LLAMA + "attention.layer_norm_rms_epsilon"),
        "layer_norm_rms_epsilon is missing"),
    EPSILON_INFINITE(
        m -> m.real(LLAMA + "attention.layer_norm_rms_epsilon", Float.POSITIVE_INFINITY),
        "epsilon is Infinity",
        "between 0.0 and 1.0"),
    CONTEXT_HUGE(
        m -> m.whole(LLAMA + "context_length", 0xffffffffL), "context_length is 4294967295"),
    EXPERTS(m -> m.whole(LLAMA + "expert_count", 8), "expert_count is 8", "from 0 to 0"),
    NOT_CAUSAL(m -> m.flag(LLAMA + "attention.causal", false), "causal is false", "true"),
    OTHER_SCALE(m -> m.real(LLAMA + "attention.scale", 2), "attention.scale is 2.0", "none"),
    TENSOR_MISSING(
        m -> m.tensors.remove("blk.0.ffn_up.weight"), "blk.0.ffn_up.weight is missing", "[32, 32]"),
    TENSOR_SHAPE(
        m -> m.tensors.put("blk.0.attn_k.weight", List.of(32L, 32L)),
        "blk.0.attn_k.weight has shape [32, 32]",
        "needs [16, 32]"),
    TENSOR_RANK(
        m -> m.tensors.put("output_norm.weight", List.of(1L, 32L)), "shape [1, 32]", "needs [32]"),
    TENSOR_UNKNOWN(
        m -> m.tensors.put("blk.1.attn_q.weight", List.of(32L, 32L)),
        "\"blk.1.attn_q.weight\" is not part",
        "block_count"),
    BIASES_IN_PART(
        m -> m.tensors.put("blk.0.attn_q.bias", List.of(32L)), "blk.0.attn_k.bias is missing"),
    EMBEDDING_MISSING(m -> m.tensors.remove("token_embd.weight"), "token_embd.weight is missing"),
    EMBEDDING_RANK(
        m -> m.tensors.put("token_embd.weight", List.of(264L * 32)), "has shape [8448]", "row"),
    VOCAB_OTHER(m -> m.whole(LLAMA + "vocab_size", 263), "vocab_size is 263", "264"),
    TOKENS_FEWER(
        m -> m.tensors.put("token_embd.weight", List.of(265L, 32L)), "a list of 264", "265"),
    TOKENS_MISSING(m -> m.metadata.remove(TOKENIZER + "tokens"), "tokens is missing"),
    TOKENS_TYPE(
        m -> m.metadata.put(TOKENIZER + "tokens", GgufValue.Array.of(new int[264])), "264 INT32"),
    TOKEN_EMPTY(m -> token(m, 263, ""), "tokens[263] is empty"),
    TOKEN_TWICE(m -> token(m, 263, "a"), "\"a\" as id 260 and as id 263"),
    SCORES_MISSING(m -> m.metadata.remove(TOKENIZER + "scores"), "scores is missing"),
    SCORES_FEWER(
        m -> m.metadata.put(TOKENIZER + "scores", GgufValue.Array.of(new float[263])),
        "a list of 263 FLOAT32",
        "264 FLOAT32"),
    SCORES_TYPE(
        m -> m.metadata.put(TOKENIZER + "scores", GgufValue.Array.of(new int[264])), "264 INT32"),
    SCORE_NAN(m -> score(m, 260, Float.NaN), "scores[260] is NaN"),
    TYPES_FEWER(
        m -> m.metadata.put(TOKENIZER + "token_type", GgufValue.Array.of(new int[10])),
        "a list of 10 INT32",
        "264 INT32"),
    TYPES_TYPE(
        m -> m.metadata.put(TOKENIZER + "token_type", GgufValue.Array.of(new float[264])),
        "264 FLOAT32",
        "264 INT32"),
    TYPE_0(m -> type(m, 5, 0), "token_type[5] is 0", "1 to 6"),
    TYPE_7(m -> type(m, 5, 7), "token_type[5] is 7", "1 to 6"),
    BYTE_SPELLED_OTHERWISE(m -> token(m, 13, "<0x0a>"), "tokens[13] is a byte", "<0x0a>"),
    BYTE_IS_A_WORD(m -> type(m, 260, 6), "tokens[260] is a byte", "\"a\""),
    BYTES_FEWER(m -> type(m, 13, 5), "255 byte tokens", "none or 256"),
    BOS_OUTSIDE(m -> m.whole(TOKENIZER + "bos_token_id", 264), "bos_token_id is 264", "0 to 263"),
    EOS_HUGE(
        m -> m.whole(TOKENIZER + "eos_token_id", 0xffffffffL), "eos_token_id is 4294967295", "263"),
    PADDING_OUTSIDE(
        m -> m.whole(TOKENIZER + "padding_token_id", 999), "padding_token_id is 999", "0 to 263"),
    BOS_ABSENT(
        m -> {
          m.metadata.remove(TOKENIZER + "bos_token_id");
          m.flag(TOKENIZER + "add_bos_token", true);
        },
        "add_bos_token is true",
        "no tokenizer.ggml.bos_token_id"),
    ADD_BOS_TEXT(m -> m.text(TOKENIZER + "add_bos_token", "yes"), "is \"yes\"", "a boolean"),
    TOKENIZER_MISSING(m -> m.metadata.remove(TOKENIZER + "model"), "model is missing"),
    TOKENIZER_OTHER(m -> m.text(TOKENIZER + "model", "bert"), "model is \"bert\"", "\"gpt2\""),
    PRE_OTHER(m -> gpt2(m).text(TOKENIZER + "pre", "tekken"), "pre is \"tekken\"", "llama-bpe"),
    MERGES_MISSING(m -> gpt2(m).metadata.remove(TOKENIZER + "merges"), "merges is missing"),
    MERGE_ONE_WORD(m -> gpt2(m, "ab"), "merges[0] is \"ab\"", "one space"),
    MERGE_THREE_WORDS(m -> gpt2(m, "a b c"), "merges[0] is \"a b c\"", "one space"),
    MERGE_UNKNOWN(m -> gpt2(m, "b a"), "merges[0] needs \"ba\""),
    MERGE_TWICE(m -> gpt2(m, "a b", "a b"), "merges[0] and [1]"),
    GPT2_SCORES(
        m -> gpt2(m).metadata.put(TOKENIZER + "scores", GgufValue.Array.of(1f)), "list of 1"),
    GPT2_SPACE(
        m -> gpt2(m).text(TOKENIZER + "pre", "qwen2").flag(TOKENIZER + "add_space_prefix", true),
        "add_space_prefix is true",
        "qwen2");

    private final Consumer<TinyGguf> change;
    private final List<String> message;

    Corruption(Consumer<TinyGguf> change, String... message) {
      this.change = change;
      this.message = List.of(message);
    }

    private static void token(TinyGguf m, int id, String token) {
      List<String> tokens = m.tokens();
      tokens.set(id, token);
      m.metadata.put(TOKENIZER + "tokens", GgufValue.Array.of(tokens));
    }

    private static void type(TinyGguf m, int id, int type) {
      int[] types = m.types();
      types[id] = type;
      m.metadata.put(TOKENIZER + "token_type", GgufValue.Array.of(types));
    }

    private static void score(TinyGguf m, int id, float score) {
      float[] scores = m.scores();
      scores[id] = score;
      m.metadata.put(TOKENIZER + "scores", GgufValue.Array.of(scores));
    }

    private static TinyGguf gpt2(TinyGguf m, String... merges) {
      return m.byteLevel(List.of("<|end|>", "a", "b", "ab"), List.of(merges));
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyCorruptionIsRefusedByName(Corruption corruption) {
    TinyGguf model = new TinyGguf();
    corruption.change.accept(model);
    Path file = model.write(folder.resolve("bad.gguf"));
    assertRefused(
        () -> ModelFiles.open(file).close(),
        Stream.concat(Stream.of(file + ": "), corruption.message.stream()).toList());
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "F64", "Q8_0", "Q4_1", "IQ4_NL"})
  void theModelThatCorruptionsStartFromIsValid(DType dtype) {
    TinyGguf model = new TinyGguf();
    model.dtype = dtype;
    Path file = model.write(folder.resolve("good.gguf"));
    try (Device device = Device.cpu(1);
        LanguageModel m = LanguageModel.load(file, Precision.FILE, device)) {
      assertThat(m.tokenizer().encode("aab")).containsExactly(1, 262, 263);
      assertThat(m.tokenizer().decode(new int[] {1, 262, 263})).isEqualTo("aab");
      assertThat(m.decoder().head().weight().dtype())
          .isEqualTo(dtype == DType.F64 ? DType.F32 : dtype);
      assertThat(m.config().decoder().tiedHead()).isTrue();
      assertThat(m.config().eos()).containsExactly(2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "default", "smollm", "llama-bpe", "qwen2"})
  void byteLevelTokenizersAreRead(String pre) {
    TinyGguf model =
        new TinyGguf()
            .byteLevel(List.of("<|end|>", "a", "b", "ab", "\u0120", "1"), List.of("a b"))
            .text(TOKENIZER + "pre", pre)
            .flag(TOKENIZER + "add_bos_token", false)
            .whole(TOKENIZER + "eos_token_id", 0);
    try (ModelFiles files = ModelFiles.open(model.write(folder.resolve("bpe.gguf")))) {
      assertThat(files.tokenizer().encode("ab ab11<|end|>", new EncodeOptions(true, true)))
          .containsExactly(3, 4, 3, 5, 5, 0);
      assertThat(files.tokenizer().decode(new int[] {3, 4, 3})).isEqualTo("ab ab");
    }
  }

  /** One bit of each byte, in turn another one: names, sizes, types, token texts, scores. */
  @Test
  void anyOtherHeaderByteIsRefusedOrGivesAModelThatTokenises() throws IOException {
    Path path = new TinyGguf().write(folder.resolve("flip.gguf"));
    long header;
    try (Gguf file = Gguf.open(path)) {
      header = file.tensors().get("token_embd.weight").offset();
    }
    int refused = 0;
    try (RandomAccessFile bytes = new RandomAccessFile(path.toFile(), "rw")) {
      for (long at = 0; at < header; at++) {
        bytes.seek(at);
        int before = bytes.read();
        bytes.seek(at);
        bytes.write(before ^ 1 << at % 8);
        try (ModelFiles files = ModelFiles.open(path)) {
          int[] ids = files.tokenizer().encode("ab <s> \u00e9");
          assertThat(IntStream.of(ids)).allMatch(id -> id >= 0 && id < TinyGguf.VOCAB);
        } catch (InputException e) {
          assertThat(e.getMessage()).startsWith(path.toString()).hasLineCount(1);
          refused++;
        }
        bytes.seek(at);
        bytes.write(before);
      }
    }
    assertThat(refused).isBetween((int) (header / 4), (int) header - 1);
    ModelFiles.open(path).close();
  }

  @Test
  void controlTokensCannotBeMergedFromText() {
    TinyGguf model = new TinyGguf();
    List<String> tokens = model.tokens();
    tokens.set(1, "ab\u2581a");
    model.metadata.put(TOKENIZER + "tokens", GgufValue.Array.of(tokens));
    try (ModelFiles files = ModelFiles.open(model.write(folder.resolve("forged.gguf")))) {
      assertThat(files.tokenizer().encode("ab a", EncodeOptions.PLAIN)).doesNotContain(1);
    }
  }
}
