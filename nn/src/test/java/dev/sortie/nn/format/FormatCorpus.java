package dev.sortie.nn.format;

import static dev.sortie.nn.format.FormatFixtures.entry;
import static dev.sortie.nn.format.FormatFixtures.file;

import dev.sortie.nn.json.Json;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small right files of each format, for tests that damage them. */
public final class FormatCorpus {
  /** The model that {@link #folder} writes. */
  private static final String CONFIG =
      """
      {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":32,
       "num_attention_heads":4,"num_key_value_heads":2,"num_hidden_layers":1,"intermediate_size":48,
       "vocab_size":%d,"max_position_embeddings":64,"rms_norm_eps":1e-05,"rope_theta":10000.0,
       "hidden_act":"silu","tie_word_embeddings":true,"torch_dtype":"float32","bos_token_id":1,
       "eos_token_id":[2,0],"rope_parameters":{"rope_type":"default","rope_theta":10000.0}}
      """;

  private FormatCorpus() {}

  /** Safetensors files that belong to no model. */
  public static List<byte[]> safetensors() {
    String a = entry("a", "F32", "[2]", "[0,8]");
    String b = entry("b", "BF16", "[2,1]", "[8,12]");
    return List.of(
        file("{\"__metadata__\":{\"k\":\"v\"}," + a + "," + b + "}  ", 12), file("{}", 0));
  }

  /** GGUF models with both kinds of tokenizers, in several types. */
  public static List<byte[]> gguf(Path folder) throws IOException {
    List<byte[]> files = new ArrayList<>();
    for (DType type : List.of(DType.F32, DType.Q8_0, DType.BF16)) {
      TinyGguf pieces = new TinyGguf();
      pieces.dtype = type;
      pieces.text("tokenizer.chat_template", "{% for m in messages %}{{ m.content }}{% endfor %}");
      files.add(Files.readAllBytes(pieces.write(folder.resolve("a.gguf"))));
      TinyGguf merges =
          new TinyGguf().byteLevel(List.of("<|end|>", "a", "b", "ab", "\u0120"), List.of("a b"));
      merges.dtype = type;
      files.add(Files.readAllBytes(merges.write(folder.resolve("b.gguf"))));
    }
    return files;
  }

  /** A GGUF file that belongs to no model. */
  public static List<byte[]> rawGguf() {
    return List.of(GgufBytes.valid().build());
  }

  /** Reads all values and elements of a GGUF file. */
  public static void readRawGguf(Path file) {
    try (Gguf gguf = Gguf.open(file)) {
      GgufRejectContractTest.touch(gguf);
    }
  }

  /**
   * A model folder with two shards.
   *
   * @param tokenizer the text of tokenizer.json
   */
  public static void folder(Path folder, String tokenizer, int vocab) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), CONFIG.formatted(vocab));
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer);
    Files.writeString(
        folder.resolve("generation_config.json"), "{\"eos_token_id\":[2,0],\"do_sample\":true}");
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token":null,"eos_token":{"content":"<|endoftext|>","special":true},
         "chat_template":"{% for m in messages %}<{{ m['role'] | trim }}>{{ m.content }}{% endfor %}"}
        """);
    String layer = "model.layers.0.";
    Map<String, long[]> one = new LinkedHashMap<>();
    one.put("model.embed_tokens.weight", new long[] {vocab, 32});
    one.put("model.norm.weight", new long[] {32});
    one.put(layer + "self_attn.q_proj.weight", new long[] {32, 32});
    one.put(layer + "self_attn.k_proj.weight", new long[] {16, 32});
    one.put(layer + "self_attn.v_proj.weight", new long[] {16, 32});
    one.put(layer + "self_attn.o_proj.weight", new long[] {32, 32});
    Map<String, long[]> two = new LinkedHashMap<>();
    two.put(layer + "mlp.gate_proj.weight", new long[] {48, 32});
    two.put(layer + "mlp.up_proj.weight", new long[] {48, 32});
    two.put(layer + "mlp.down_proj.weight", new long[] {32, 48});
    two.put(layer + "input_layernorm.weight", new long[] {32});
    two.put(layer + "post_attention_layernorm.weight", new long[] {32});
    Map<String, String> index = new LinkedHashMap<>();
    shard(folder, "model-00001-of-00002.safetensors", one, index);
    shard(folder, "model-00002-of-00002.safetensors", two, index);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("metadata", Map.of());
    json.put("weight_map", index);
    Files.write(
        folder.resolve("model.safetensors.index.json"),
        Json.pretty(json).getBytes(StandardCharsets.UTF_8));
  }

  private static void shard(
      Path folder, String name, Map<String, long[]> tensors, Map<String, String> index) {
    try (NativeArena arena = new NativeArena("corpus")) {
      SafetensorsWriter writer = new SafetensorsWriter();
      tensors.forEach(
          (tensor, shape) -> {
            long elements = 1;
            for (long dim : shape) {
              elements *= dim;
            }
            var data = arena.allocate(DType.F32, elements).span();
            for (long i = 0; i < elements; i++) {
              data.set(i, (i * 37 % 101 - 50) / 100.0);
            }
            writer.tensor(tensor, data, shape);
            index.put(tensor, name);
          });
      writer.write(folder.resolve(name));
    }
  }
}
