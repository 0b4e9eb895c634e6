// One element, or VW neighbours, a work-item. Offsets are in elements: buffers hold many tensors.

#define ELEMENT(n) const ulong i = get_global_id(0); if (i >= (n)) return
// VW elements from `at` on; the last work-item takes what is left one by one.
#define PIECE(n)                             \
  const ulong at = get_global_id(0) * VW;   \
  if (at >= (n)) return;                    \
  const int whole = at + VW <= (n)

__kernel void fill(const float a, const ulong n, __global float* y, const ulong yo) {
  ELEMENT(n);
  y[yo + i] = a;
}

__kernel void add(
    __global const float* x, const ulong xo, __global const float* y, const ulong yo,
    __global float* z, const ulong zo, const ulong n) {
  ELEMENT(n);
  z[zo + i] = x[xo + i] + y[yo + i];
}

__kernel void mul(
    __global const float* x, const ulong xo, __global const float* y, const ulong yo,
    __global float* z, const ulong zo, const ulong n) {
  ELEMENT(n);
  z[zo + i] = x[xo + i] * y[yo + i];
}

__kernel void mul_add(
    __global const float* x, const ulong xo, __global const float* y, const ulong yo,
    __global float* z, const ulong zo, const ulong n) {
  ELEMENT(n);
  z[zo + i] = fma(x[xo + i], y[yo + i], z[zo + i]);
}

__kernel void scale(
    const float a, __global const float* x, const ulong xo, __global float* y, const ulong yo,
    const ulong n) {
  ELEMENT(n);
  y[yo + i] = a * x[xo + i];
}

__kernel void axpy(
    const float a, __global const float* x, const ulong xo, __global float* y, const ulong yo,
    const ulong n) {
  ELEMENT(n);
  y[yo + i] = fma(a, x[xo + i], y[yo + i]);
}

__kernel void add_scalar(const float a, __global float* y, const ulong yo, const ulong n) {
  ELEMENT(n);
  y[yo + i] += a;
}

// What a tensor's element is multiplied by: 16 bits of a number by Philox4x32-10 decide, of which
// four elements share one. DropoutMask and Philox are the same in Java.
inline float factor(
    const ulong element, const ulong seed, const ulong stream, const int dropped,
    const float kept) {
  const ulong number = element / 4;
  uint4 c = (uint4)((uint)number, (uint)(number >> 32), (uint)stream, (uint)(stream >> 32));
  uint2 key = (uint2)((uint)seed, (uint)(seed >> 32));
  for (int round = 0; round < 10; round++) {
    const uint m0 = 0xD2511F53u;
    const uint m1 = 0xCD9E8D57u;
    c = (uint4)(
        mul_hi(m1, c.z) ^ c.y ^ key.x, m1 * c.z, mul_hi(m0, c.x) ^ c.w ^ key.y, m0 * c.x);
    key += (uint2)(0x9E3779B9u, 0xBB67AE85u);
  }
  const uint word = element & 2 ? c.y : c.x;
  const int draw = (element & 1 ? word >> 16 : word) & 0xffff;
  return draw < dropped ? 0 : kept;
}

__kernel void dropout(
    __global const float* x, const ulong xo, __global float* y, const ulong yo, const ulong seed,
    const ulong stream, const ulong first, const int dropped, const float kept, const ulong n) {
  ELEMENT(n);
  y[yo + i] = x[xo + i] * factor(first + i, seed, stream, dropped, kept);
}

__kernel void dropout_add(
    __global const float* x, const ulong xo, __global float* y, const ulong yo, const ulong seed,
    const ulong stream, const ulong first, const int dropped, const float kept, const ulong n) {
  ELEMENT(n);
  y[yo + i] = fma(x[xo + i], factor(first + i, seed, stream, dropped, kept), y[yo + i]);
}

// Rounds to nearest even; NaN stays NaN.
inline ushort to_bf16(float x) {
  const uint bits = as_uint(x);
  return isnan(x) ? (ushort)((bits >> 16) | 0x40)
                  : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// Copies of one type are copies of its bits.
__kernel void copy_32(
    __global const uint* x, const ulong xo, __global uint* y, const ulong yo, const ulong n) {
  ELEMENT(n);
  y[yo + i] = x[xo + i];
}

__kernel void copy_16(
    __global const ushort* x, const ulong xo, __global ushort* y, const ulong yo, const ulong n) {
  ELEMENT(n);
  y[yo + i] = x[xo + i];
}

__kernel void copy_f32_bf16(
    __global const float* x, const ulong xo, __global ushort* y, const ulong yo, const ulong n) {
  ELEMENT(n);
  y[yo + i] = to_bf16(x[xo + i]);
}

__kernel void copy_bf16_f32(
    __global const ushort* x, const ulong xo, __global float* y, const ulong yo, const ulong n) {
  ELEMENT(n);
  y[yo + i] = as_float((uint)x[xo + i] << 16);
}

// y takes a view of x in row-major order. Up to four dims, outermost first.
__kernel void copy_strided(
    __global const uint* x, const ulong xo, __global uint* y, const ulong yo, const ulong n,
    const ulong d1, const ulong d2, const ulong d3, const ulong s0, const ulong s1,
    const ulong s2, const ulong s3) {
  ELEMENT(n);
  const ulong i3 = i % d3, r3 = i / d3;
  const ulong i2 = r3 % d2, r2 = r3 / d2;
  const ulong i1 = r2 % d1, i0 = r2 / d1;
  y[yo + i] = x[xo + i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3];
}

// silu(gate) * up
__kernel void swiglu(
    __global const float* gate, const ulong go, __global const float* up, const ulong uo,
    __global float* y, const ulong yo, const ulong n) {
  PIECE(n);
  if (whole) {
    const vec g = LOAD(gate + go + at);
    STORE(g / (1.0f + exp(-g)) * LOAD(up + uo + at), y + yo + at);
  } else {
    for (ulong i = at; i < n; i++) {
      const float g = gate[go + i];
      y[yo + i] = g / (1.0f + exp(-g)) * up[uo + i];
    }
  }
}

// x Φ(x), by erf or by the tanh approximation
inline float gelu_of(float x, int approximate) {
  const float t = approximate ? tanh(0.7978845608f * fma(0.044715f * x * x, x, x))
                              : erf(x * 0.7071067812f);
  return 0.5f * x * (1.0f + t);
}

__kernel void gelu(
    __global const float* x, const ulong xo, __global float* y, const ulong yo,
    const int approximate, const ulong n) {
  ELEMENT(n);
  y[yo + i] = gelu_of(x[xo + i], approximate);
}

// Pairs (a, b) become (a cos - b sin, b cos + a sin); a work-item has one pair or one element that
// is only copied.
__kernel void rope(
    __global const float* x, const ulong xo, __global const float* cosines, const ulong co,
    __global const float* sines, const ulong so, __global float* y, const ulong yo,
    const int tokens, const int heads, const int size, const int rotary, const int first,
    const int interleaved, const float sign, const ulong n) {
  ELEMENT(n);
  const int half_size = rotary / 2;
  const int jobs = half_size + size - rotary;
  const ulong row = i / jobs;
  const int j = i % jobs;
  const ulong from = xo + row * size;
  const ulong to = yo + row * size;
  if (j >= half_size) {
    y[to + rotary + j - half_size] = x[from + rotary + j - half_size];
    return;
  }
  const ulong angle = (first + row / heads % tokens) * half_size + j;
  const float c = cosines[co + angle];
  const float s = sign * sines[so + angle];
  const int p = interleaved ? 2 * j : j;
  const int q = interleaved ? 2 * j + 1 : j + half_size;
  const float a = x[from + p];
  const float b = x[from + q];
  y[to + p] = a * c - b * s;
  y[to + q] = b * c + a * s;
}
