// Products with weights as they are stored. Set by the host: one of W_F32, W_BF16, W_F16, W_Q8_0,
// W_Q4_0, W_Q4_1, W_Q4_K, W_Q6_K, and
//   OUTPUTS  rows of the weight that a group multiplies at once
//   HALF_BITS  where F16 is decoded by integer operations: exact where denormal floats are, and
//              many times faster on a CPU
// Layouts of blocks: dev.sortie.tensor.dtype.Blocks.

#if defined(W_F32) || defined(W_BF16) || defined(W_F16)
#define WV VW
#else
#define WV 16
#endif
typedef PASTE(float, WV) wvec;
#define WSUM(v) PASTE(total, WV)(v)
#define LOAD_X(p) PASTE(vload, WV)(0, (p))
#define STORE_X(v, p) PASTE(vstore, WV)((v), 0, (p))

#ifdef HALF_BITS
// The exponent and mantissa moved to their places are the value times 2^-112; finite values only.
inline float half_at(__global const uchar* p) {
  const uint h = *(__global const ushort*)p;
  return as_float(as_uint(as_float((h & 0x7fffu) << 13) * 0x1p112f) | ((h & 0x8000u) << 16));
}
#else
inline float half_at(__global const uchar* p) { return vload_half(0, (__global const half*)p); }
#endif

// `decode`: WV neighbours from element c on, a multiple of WV, of the row that begins at byte
// `row`. `decode1`: one element, for types without blocks.
#if defined(W_F32)
#define ROW_BYTES(k) ((ulong)(k) * 4)
inline wvec decode(__global const uchar* row, int c) {
  return LOAD_X((__global const float*)row + c);
}
inline float decode1(__global const uchar* row, int c) { return ((__global const float*)row)[c]; }

#elif defined(W_BF16)
#define ROW_BYTES(k) ((ulong)(k) * 2)
inline wvec decode(__global const uchar* row, int c) {
  const PASTE(ushort, WV) bits = PASTE(vload, WV)(0, (__global const ushort*)row + c);
  return PASTE(as_float, WV)(PASTE(convert_uint, WV)(bits) << 16);
}
inline float decode1(__global const uchar* row, int c) {
  return as_float((uint)((__global const ushort*)row)[c] << 16);
}

#elif defined(W_F16)
#define ROW_BYTES(k) ((ulong)(k) * 2)
inline float decode1(__global const uchar* row, int c) {
  return vload_half(c, (__global const half*)row);
}
#ifdef HALF_BITS
// As half_at.
inline wvec decode(__global const uchar* row, int c) {
  const PASTE(ushort, WV) bits = PASTE(vload, WV)(0, (__global const ushort*)row + c);
  const PASTE(uint, WV) h = PASTE(convert_uint, WV)(bits);
  const wvec magnitude = PASTE(as_float, WV)((h & 0x7fffu) << 13) * 0x1p112f;
  return PASTE(as_float, WV)(PASTE(as_uint, WV)(magnitude) | ((h & 0x8000u) << 16));
}
#else
inline wvec decode(__global const uchar* row, int c) {
  return PASTE(vload_half, WV)(0, (__global const half*)row + c);
}
#endif

#elif defined(W_Q8_0)
#define BLOCK 32
#define BYTES 34
inline wvec decode(__global const uchar* row, int c) {
  __global const uchar* b = row + c / 32 * BYTES;
  return half_at(b) * convert_float16(vload16(0, (__global const char*)b + 2 + c % 32));
}

#elif defined(W_Q4_0)
#define BLOCK 32
#define BYTES 18
inline wvec decode(__global const uchar* row, int c) {
  __global const uchar* b = row + c / 32 * BYTES;
  const uchar16 q = vload16(0, b + 2);
  return half_at(b) * (convert_float16(c % 32 ? q >> (uchar)4 : q & (uchar)15) - 8.0f);
}

#elif defined(W_Q4_1)
#define BLOCK 32
#define BYTES 20
inline wvec decode(__global const uchar* row, int c) {
  __global const uchar* b = row + c / 32 * BYTES;
  const uchar16 q = vload16(0, b + 4);
  const float16 level = convert_float16(c % 32 ? q >> (uchar)4 : q & (uchar)15);
  return fma((float16)(half_at(b)), level, (float16)(half_at(b + 2)));
}

#elif defined(W_Q4_K)
#define BLOCK 256
#define BYTES 144
inline wvec decode(__global const uchar* row, int c) {
  __global const uchar* b = row + c / 256 * BYTES;
  __global const uchar* s = b + 4;
  const int g = c % 256 / 32;
  const int scale = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | (s[g - 4] >> 6 << 4);
  const int least = g < 4 ? s[g + 4] & 63 : (s[g + 4] >> 4) | (s[g] >> 6 << 4);
  const uchar16 q = vload16(0, b + 16 + g / 2 * 32 + c % 32);
  const float16 level = convert_float16(g % 2 ? q >> (uchar)4 : q & (uchar)15);
  return fma((float16)(half_at(b) * scale), level, (float16)(-(half_at(b + 2) * least)));
}

#elif defined(W_Q6_K)
#define BLOCK 256
#define BYTES 210
inline wvec decode(__global const uchar* row, int c) {
  __global const uchar* b = row + c / 256 * BYTES;
  const int g = c % 256 / 16;
  const uchar16 low = vload16(0, b + g / 8 * 64 + g % 4 * 16) >> (uchar)(g % 8 / 4 * 4) & (uchar)15;
  const uchar16 highs = vload16(0, b + 128 + g / 8 * 32 + g % 2 * 16);
  const uchar16 high = highs >> (uchar)(g % 8 / 2 * 2) & (uchar)3;
  const float d = half_at(b + 208) * ((__global const char*)b)[192 + g];
  return d * (convert_float16(low | high << (uchar)4) - 32.0f);
}
#endif

#ifdef BLOCK
#define ROW_BYTES(k) ((ulong)(k) / BLOCK * BYTES)
// rows are whole blocks: never reached
inline float decode1(__global const uchar* row, int c) { return 0; }
#endif

// y[i, n] = x[i, :] · w[n, :] + bias[n] for few rows of x. The weights of OUTPUTS rows are read
// once and multiplied by all of them; a row of x meets the same operations whatever the others are.
__kernel GROUP void gemv(
    __global const float* x, const ulong xo, __global const uchar* w, const ulong wo,
    __global const float* bias, const ulong bo, const int biased,
    __global float* y, const ulong yo, const int m, const int n, const int k) {
  SHARED(s);
  const int n0 = get_group_id(0) * OUTPUTS;
  __global const uchar* rows[OUTPUTS];
  for (int r = 0; r < OUTPUTS; r++) {
    rows[r] = w + wo + min(n0 + r, n - 1) * ROW_BYTES(k);
  }
  for (int i = 0; i < m; i++) {
    __global const float* in = x + xo + (ulong)i * k;
    wvec sums[OUTPUTS];
    float rest[OUTPUTS];
#pragma unroll
    for (int r = 0; r < OUTPUTS; r++) {
      sums[r] = 0;
      rest[r] = 0;
    }
    for (int c = LANE * WV; c + WV <= k; c += WG * WV) {
      const wvec v = LOAD_X(in + c);
#pragma unroll
      for (int r = 0; r < OUTPUTS; r++) {
        sums[r] = fma(decode(rows[r], c), v, sums[r]);
      }
    }
    for (int c = k / WV * WV + LANE; c < k; c += WG) {
      for (int r = 0; r < OUTPUTS; r++) {
        rest[r] = fma(decode1(rows[r], c), in[c], rest[r]);
      }
    }
    for (int r = 0; r < OUTPUTS; r++) {
      const float sum = group_sum(WSUM(sums[r]) + rest[r], s);
      if (LANE == 0 && n0 + r < n) {
        y[yo + (ulong)i * n + n0 + r] = biased ? sum + bias[bo + n0 + r] : sum;
      }
    }
  }
}

// y[r, :] = table[ids[r], :]
__kernel GROUP void gather(
    __global const uchar* table, const ulong to, __global const int* ids, const ulong io,
    __global float* y, const ulong yo, const int cols) {
  const ulong r = get_group_id(0);
  __global const uchar* row = table + to + ids[io + r] * ROW_BYTES(cols);
  __global float* out = y + yo + r * cols;
  for (int c = LANE * WV; c + WV <= cols; c += WG * WV) {
    STORE_X(decode(row, c), out + c);
  }
  for (int c = cols / WV * WV + LANE; c < cols; c += WG) {
    out[c] = decode1(row, c);
  }
}

// w [rows, cols] decoded to F32, row after row.
__kernel GROUP void widen(
    __global const uchar* w, const ulong wo, __global float* y, const int cols) {
  const ulong r = get_group_id(0);
  __global const uchar* row = w + wo + r * ROW_BYTES(cols);
  __global float* out = y + r * cols;
  for (int c = LANE * WV; c + WV <= cols; c += WG * WV) {
    STORE_X(decode(row, c), out + c);
  }
  for (int c = cols / WV * WV + LANE; c < cols; c += WG) {
    out[c] = decode1(row, c);
  }
}

// Panels of PANEL columns, a multiple of 16, for gemm_panels: panel p holds, for each kk, columns
// p PANEL .. of op(w), zeros past the last. `pack_rows`: op(w) [k, n] is stored as [n, k];
// `pack_cols`: as [k, n], of which `count` columns from `from` on are packed. Quantised rows have a
// multiple of 32 elements, so no rest.
#ifdef PANEL

__kernel void pack_rows(
    __global const uchar* w, const ulong wo, __global float* panels, const int n, const int k) {
  const int n0 = get_global_id(0) * PANEL;
  const int from = get_global_id(1) * WV;
  const int count = min(WV, k - from);
  __global float* panel = panels + ((ulong)n0 * k + (ulong)from * PANEL);
  for (int j = 0; j < PANEL; j++) {
    if (n0 + j >= n) {
      for (int t = 0; t < count; t++) {
        panel[t * PANEL + j] = 0;
      }
      continue;
    }
    __global const uchar* row = w + wo + (n0 + j) * ROW_BYTES(k);
    if (count == WV) {
      float v[WV];
      STORE_X(decode(row, from), v);
      for (int t = 0; t < WV; t++) {
        panel[t * PANEL + j] = v[t];
      }
    } else {
      for (int t = 0; t < count; t++) {
        panel[t * PANEL + j] = decode1(row, from + t);
      }
    }
  }
}

__kernel void pack_cols(
    __global const uchar* w, const ulong wo, __global float* panels, const int from,
    const int count, const int n, const int k) {
  const int n0 = get_global_id(0) * PANEL;
  const int kk = get_global_id(1);
  __global const uchar* row = w + wo + kk * ROW_BYTES(n);
  __global float* panel = panels + ((ulong)n0 * k + (ulong)kk * PANEL);
  for (int j = 0; j < PANEL; j += WV) {
    if (n0 + j + WV <= count) {
      STORE_X(decode(row, from + n0 + j), panel + j);
    } else {
      for (int t = j; t < j + WV; t++) {
        panel[t] = n0 + t < count ? decode1(row, from + n0 + t) : 0;
      }
    }
  }
}
#endif
