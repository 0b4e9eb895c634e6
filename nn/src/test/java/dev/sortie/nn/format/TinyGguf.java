package dev.sortie.nn.format;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** A Llama of one layer as a GGUF file, whose parts may be changed before it is written. */
public final class TinyGguf {
  public static final int VOCAB = 264;

  public final SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
  public final SequencedMap<String, List<Long>> tensors = new LinkedHashMap<>();
  public DType dtype = DType.F32;

  public TinyGguf() {
    text("general.architecture", "llama");
    whole("llama.block_count", 1);
    whole("llama.context_length", 64);
    whole("llama.embedding_length", 32);
    whole("llama.feed_forward_length", 32);
    whole("llama.attention.head_count", 2);
    whole("llama.attention.head_count_kv", 1);
    whole("llama.rope.dimension_count", 16);
    real("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    real("llama.rope.freq_base", 10_000);
    sentencePiece();
    tensors.put("token_embd.weight", List.of((long) VOCAB, 32L));
    tensors.put("output_norm.weight", List.of(32L));
    tensors.put("blk.0.attn_norm.weight", List.of(32L));
    tensors.put("blk.0.attn_q.weight", List.of(32L, 32L));
    tensors.put("blk.0.attn_k.weight", List.of(16L, 32L));
    tensors.put("blk.0.attn_v.weight", List.of(16L, 32L));
    tensors.put("blk.0.attn_output.weight", List.of(32L, 32L));
    tensors.put("blk.0.ffn_norm.weight", List.of(32L));
    tensors.put("blk.0.ffn_gate.weight", List.of(32L, 32L));
    tensors.put("blk.0.ffn_up.weight", List.of(32L, 32L));
    tensors.put("blk.0.ffn_down.weight", List.of(32L, 32L));
  }

  private void sentencePiece() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    for (int b = 0; b < 256; b++) {
      tokens.add("<0x%02X>".formatted(b));
    }
    tokens.addAll(List.of("\u2581", "a", "b", "\u2581a", "ab"));
    int[] types = new int[VOCAB];
    float[] scores = new float[VOCAB];
    for (int id = 0; id < VOCAB; id++) {
      types[id] = id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1;
      scores[id] = id < 259 ? 0 : 258 - id;
    }
    text("tokenizer.ggml.model", "llama");
    metadata.put("tokenizer.ggml.tokens", GgufValue.Array.of(tokens));
    metadata.put("tokenizer.ggml.scores", GgufValue.Array.of(scores));
    metadata.put("tokenizer.ggml.token_type", GgufValue.Array.of(types));
    whole("tokenizer.ggml.unknown_token_id", 0);
    whole("tokenizer.ggml.bos_token_id", 1);
    whole("tokenizer.ggml.eos_token_id", 2);
  }

  /** Puts a byte-level tokenizer of these tokens and merges in place of the other one. */
  public TinyGguf byteLevel(List<String> first, List<String> merges) {
    metadata.keySet().removeIf(key -> key.startsWith("tokenizer."));
    List<String> tokens = new ArrayList<>(first);
    int[] types = new int[VOCAB];
    for (int id = 0; id < VOCAB; id++) {
      types[id] = id == 0 ? 3 : id < first.size() ? 1 : 5;
      if (id >= first.size()) {
        tokens.add("[PAD" + id + "]");
      }
    }
    text("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.tokens", GgufValue.Array.of(tokens));
    metadata.put("tokenizer.ggml.token_type", GgufValue.Array.of(types));
    metadata.put("tokenizer.ggml.merges", GgufValue.Array.of(merges));
    return this;
  }

  public TinyGguf text(String key, String value) {
    metadata.put(key, new GgufValue.Text(value));
    return this;
  }

  public TinyGguf whole(String key, long value) {
    metadata.put(key, new GgufValue.Whole(GgufType.UINT32, value));
    return this;
  }

  public TinyGguf real(String key, float value) {
    metadata.put(key, new GgufValue.Real(GgufType.FLOAT32, value));
    return this;
  }

  public TinyGguf flag(String key, boolean value) {
    metadata.put(key, new GgufValue.Flag(value));
    return this;
  }

  public int[] types() {
    return ((GgufValue.Array) metadata.get("tokenizer.ggml.token_type")).ints();
  }

  public List<String> tokens() {
    return new ArrayList<>(((GgufValue.Array) metadata.get("tokenizer.ggml.tokens")).strings());
  }

  public float[] scores() {
    return ((GgufValue.Array) metadata.get("tokenizer.ggml.scores")).floats();
  }

  public Path write(Path file) {
    try (NativeArena arena = new NativeArena("tiny")) {
      GgufWriter writer = new GgufWriter();
      metadata.forEach(writer::metadata);
      tensors.forEach(
          (name, shape) -> {
            DType type = shape.size() == 1 ? DType.F32 : dtype;
            var data = arena.allocate(type, TensorInfo.elements(shape)).span();
            for (long i = 0; i < (type.isQuantised() ? 0 : data.length()); i++) {
              data.set(i, (i * 37 % 101 - 50) / 100.0);
            }
            writer.tensor(name, data, shape);
          });
      writer.write(file);
    }
    return file;
  }
}
