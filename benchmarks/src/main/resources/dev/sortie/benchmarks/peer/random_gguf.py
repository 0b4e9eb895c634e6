"""Writes a Llama-type GGUF file with random weights: speed does not depend on what a model knows.

argv: type (F32, F16, Q8_0, Q4_0), file. Sizes are SmolLM2-135M's. Norms are ones in F32; all matrices are of the type."""
import pathlib

import gguf
import numpy as np

kind, path = sys.argv[1], pathlib.Path(sys.argv[2])
C, LAYERS, HEADS, KV_HEADS, FFN, VOCAB = 576, 30, 9, 3, 1536, 49152
HEAD = C // HEADS
type_ = gguf.GGMLQuantizationType[kind]
random = np.random.default_rng(1)

# A file of its own until it is whole: an interrupted run leaves no half of a model behind.
part = path.with_suffix(".part")
writer = gguf.GGUFWriter(part, "llama")
writer.add_name("random 135M " + kind)
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


def matrix(name, rows, columns):
    weights = random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.04)
    writer.add_tensor(name, gguf.quants.quantize(weights, type_), raw_dtype=type_)


def norm(name):
    writer.add_tensor(name, np.ones(C, dtype=np.float32))


matrix("token_embd.weight", VOCAB, C)
norm("output_norm.weight")
for i in range(LAYERS):
    layer = f"blk.{i}."
    norm(layer + "attn_norm.weight")
    matrix(layer + "attn_q.weight", HEADS * HEAD, C)
    matrix(layer + "attn_k.weight", KV_HEADS * HEAD, C)
    matrix(layer + "attn_v.weight", KV_HEADS * HEAD, C)
    matrix(layer + "attn_output.weight", C, HEADS * HEAD)
    norm(layer + "ffn_norm.weight")
    matrix(layer + "ffn_gate.weight", FFN, C)
    matrix(layer + "ffn_up.weight", FFN, C)
    matrix(layer + "ffn_down.weight", C, FFN)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
part.rename(path)
answer(peer="gguf", file=str(path))
