"""Writes a Llama-type GGUF file with random weights: speed does not depend on what a model knows.

argv: type, size, file. A type is one of gguf's, or Q4_K_M: the mix that llama.cpp's tool of that name makes, with the types that it
falls back to where rows are no whole blocks of 256. Sizes are those of real models, see SIZES. Norms are ones in F32."""
import pathlib

import gguf
import numpy as np

# hidden, layers, heads, key-value heads, feed-forward, vocabulary
SIZES = {
    "135m": (576, 30, 9, 3, 1536, 49152),  # SmolLM2-135M
    "0.5b": (896, 24, 14, 2, 4864, 151936),  # Qwen2.5-0.5B
    "1b": (2048, 16, 32, 8, 8192, 128256),  # Llama-3.2-1B
}
kind, size, path = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
C, LAYERS, HEADS, KV_HEADS, FFN, VOCAB = SIZES[size]
HEAD = C // HEADS
T = gguf.GGMLQuantizationType
random = np.random.default_rng(1)
mixed = kind == "Q4_K_M"

# A file of its own until it is whole: an interrupted run leaves no half of a model behind.
part = path.with_suffix(".part")
writer = gguf.GGUFWriter(part, "llama")
writer.add_name(f"random {size} {kind}")
writer.add_file_type(gguf.LlamaFileType[{"F32": "ALL_F32"}.get(kind, "MOSTLY_" + kind)])
writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
writer.add_context_length(2048)
writer.add_embedding_length(C)
writer.add_block_count(LAYERS)
writer.add_feed_forward_length(FFN)
writer.add_head_count(HEADS)
writer.add_head_count_kv(KV_HEADS)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_dimension_count(HEAD)
writer.add_rope_freq_base(10000.0)
writer.add_vocab_size(VOCAB)

words = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.BYTE] * 256
scores = [0.0] * len(words)
while len(words) < VOCAB:
    scores.append(-float(len(words)))
    words.append(f"\u2581w{len(words)}")
    kinds.append(gguf.TokenType.NORMAL)
writer.add_tokenizer_model("llama")
writer.add_token_list(words)
writer.add_token_scores(scores)
writer.add_token_types(kinds)
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
writer.add_unk_token_id(0)


def blocks(type_, rows, columns):
    """Random bits with small scales, for types that gguf cannot quantise to."""
    length, size_ = gguf.GGML_QUANT_SIZES[type_]
    data = random.integers(0, 256, (rows, columns // length, size_), dtype=np.uint8)
    for at, scale in {T.Q4_K: ((0, 3e-4), (2, 4e-3)), T.Q6_K: ((208, 2e-5),)}[type_]:
        halves = (scale * random.uniform(0.5, 1.5, data.shape[:2])).astype(np.float16)
        data[:, :, at : at + 2] = halves[..., None].view(np.uint8)
    return data.reshape(rows, -1)


def matrix(name, rows, columns, better=False):
    type_ = T[kind] if not mixed else T.Q6_K if better else T.Q4_K
    if mixed and columns % 256:
        type_ = T.Q8_0 if better else T.Q5_0
    if type_ in (T.Q4_K, T.Q6_K):
        writer.add_tensor(name, blocks(type_, rows, columns), raw_dtype=type_)
        return
    weights = random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.04)
    writer.add_tensor(name, gguf.quants.quantize(weights, type_), raw_dtype=type_)


def norm(name):
    writer.add_tensor(name, np.ones(C, dtype=np.float32))


matrix("token_embd.weight", VOCAB, C, better=True)
norm("output_norm.weight")
for i in range(LAYERS):
    layer = f"blk.{i}."
    more = i < LAYERS // 8 or i >= 7 * LAYERS // 8 or (i - LAYERS // 8) % 3 == 2  # layers with more bits
    norm(layer + "attn_norm.weight")
    matrix(layer + "attn_q.weight", HEADS * HEAD, C)
    matrix(layer + "attn_k.weight", KV_HEADS * HEAD, C)
    matrix(layer + "attn_v.weight", KV_HEADS * HEAD, C, better=more)
    matrix(layer + "attn_output.weight", C, HEADS * HEAD)
    norm(layer + "ffn_norm.weight")
    matrix(layer + "ffn_gate.weight", FFN, C)
    matrix(layer + "ffn_up.weight", FFN, C)
    matrix(layer + "ffn_down.weight", C, FFN, better=more)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
part.rename(path)
answer(peer="gguf", file=str(path))
