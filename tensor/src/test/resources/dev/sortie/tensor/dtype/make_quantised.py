"""F32 blocks and what PyPI's `gguf` quantises them to: python make_quantised.py > quantised.txt
A line: type, F32 elements and blocks in base64."""
import base64

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T

random = np.random.default_rng(11)
x = random.normal(0, 1, (24, 32)).astype(np.float32)
x[1] = 0  # no scale
x[2] = np.float32(0.37)  # no range
x[3] = np.abs(x[3]) + 2  # one sign
x[4] = -np.abs(x[4]) - 2
x[5] = np.round(x[5] * 4) / 4  # ties
x[6] = np.arange(32) - 16  # the largest magnitude is negative, and quanta are ties
x[7] = 16 - np.arange(32)
x[8] *= np.float32(1e-7)  # scales below the normal numbers of F16
x[9] *= np.float32(1e4)
x[10, 5] = 40  # an outlier
x[11, 3], x[11, 20] = -9, 9  # two of largest magnitude
x[12] = (np.arange(32) - 15.5) / 127
for t in [T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1]:
    blocks = gguf.quants.quantize(x.reshape(1, -1), t)
    print(t.name, base64.b64encode(x.astype("<f4").tobytes()).decode(), base64.b64encode(blocks.tobytes()).decode())
