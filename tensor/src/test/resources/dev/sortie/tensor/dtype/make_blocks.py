"""Random blocks of each quantised type and what PyPI's `gguf` decodes them to: python make_blocks.py > blocks.txt
A line: type, blocks and F32 elements in base64."""
import base64

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

SCALES = {T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.Q4_1: [0, 2], T.Q5_1: [0, 2]}

random = np.random.default_rng(7)
for t in [T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.IQ4_NL, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K, T.IQ4_XS]:
    elements, size = gguf.GGML_QUANT_SIZES[t]
    n = 1 if elements == 256 else 3
    blocks = random.integers(0, 256, (n, size), dtype=np.uint8)
    for at in SCALES.get(t, [0]):
        blocks[:, at : at + 2] = random.normal(0, 0.01, n).astype(np.float16).view(np.uint8).reshape(n, 2)
    floats = gguf.quants.dequantize(blocks, t).astype("<f4")
    print(t.name, base64.b64encode(blocks.tobytes()).decode(), base64.b64encode(floats.tobytes()).decode())
