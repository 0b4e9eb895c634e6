// Kernels over rows: a group of WG work-items has one row of `cols` floats.

__kernel GROUP void rms_norm(
    __global const float* x, const ulong xo, __global const float* w, const ulong wo,
    __global float* y, const ulong yo, __global float* rstd, const ulong ro, const float eps,
    const int cols) {
  SHARED(s);
  const ulong row = get_group_id(0);
  __global const float* in = x + xo + row * cols;
  __global float* out = y + yo + row * cols;
  w += wo;
  vec squares = 0;
  float rest = 0;
  VECTORS(c, cols) {
    const vec v = LOAD(in + c);
    squares = fma(v, v, squares);
  }
  REST(c, cols) { rest = fma(in[c], in[c], rest); }
  const float mean = group_sum(SUM(squares) + rest, s) / cols;
  const float scale = 1.0f / sqrt(mean + eps);
  VECTORS(c, cols) { STORE(LOAD(in + c) * scale * LOAD(w + c), out + c); }
  REST(c, cols) { out[c] = in[c] * scale * w[c]; }
  if (LANE == 0) {
    rstd[ro + row] = scale;
  }
}

__kernel GROUP void layer_norm(
    __global const float* x, const ulong xo, __global const float* w, const ulong wo,
    __global const float* b, const ulong bo, const int biased, __global float* y, const ulong yo,
    __global float* mean, const ulong mo, __global float* rstd, const ulong ro, const float eps,
    const int cols) {
  SHARED(s);
  const ulong row = get_group_id(0);
  __global const float* in = x + xo + row * cols;
  __global float* out = y + yo + row * cols;
  vec sums = 0;
  float rest = 0;
  VECTORS(c, cols) { sums += LOAD(in + c); }
  REST(c, cols) { rest += in[c]; }
  const float center = group_sum(SUM(sums) + rest, s) / cols;
  vec squares = 0;
  rest = 0;
  VECTORS(c, cols) {
    const vec v = LOAD(in + c) - center;
    squares = fma(v, v, squares);
  }
  REST(c, cols) { rest = fma(in[c] - center, in[c] - center, rest); }
  const float scale = 1.0f / sqrt(group_sum(SUM(squares) + rest, s) / cols + eps);
  for (int c = LANE; c < cols; c += WG) {
    const float y1 = (in[c] - center) * scale * w[wo + c];
    out[c] = biased ? y1 + b[bo + c] : y1;
  }
  if (LANE == 0) {
    mean[mo + row] = center;
    rstd[ro + row] = scale;
  }
}

inline float row_max(__global const float* in, int cols, __local float* s) {
  vec most = -INFINITY;
  float rest = -INFINITY;
  VECTORS(c, cols) { most = fmax(most, LOAD(in + c)); }
  REST(c, cols) { rest = fmax(rest, in[c]); }
  return group_max(fmax(MAX(most), rest), s);
}

// Σ exp(in - most)
inline float row_exp_sum(__global const float* in, float most, int cols, __local float* s) {
  vec sums = 0;
  float rest = 0;
  VECTORS(c, cols) { sums += exp(LOAD(in + c) - most); }
  REST(c, cols) { rest += exp(in[c] - most); }
  return group_sum(SUM(sums) + rest, s);
}

__kernel GROUP void softmax(
    __global const float* x, const ulong xo, __global float* y, const ulong yo, const int cols) {
  SHARED(s);
  const ulong row = get_group_id(0);
  __global const float* in = x + xo + row * cols;
  __global float* out = y + yo + row * cols;
  const float most = row_max(in, cols, s);
  const float share = 1.0f / row_exp_sum(in, most, cols, s);
  VECTORS(c, cols) { STORE(exp(LOAD(in + c) - most) * share, out + c); }
  REST(c, cols) { out[c] = exp(in[c] - most) * share; }
}

// The first index of the largest element, and log Σ exp.
__kernel GROUP void argmax(
    __global const float* x, const ulong xo, __global int* index, const ulong io,
    __global float* lse, const ulong lo, const int cols) {
  SHARED(s);
#if WG > 1
  __local int found[WG];
#endif
  const ulong row = get_group_id(0);
  __global const float* in = x + xo + row * cols;
  const float most = row_max(in, cols, s);
  const float sum = row_exp_sum(in, most, cols, s);
  int at = cols;
  for (int c = LANE; c < cols && at == cols; c += WG) {
    at = in[c] == most ? c : cols;
  }
#if WG > 1
  found[LANE] = at;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int d = WG / 2; d > 0; d /= 2) {
    if (LANE < d) {
      found[LANE] = min(found[LANE], found[LANE + d]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  at = found[0];
#endif
  if (LANE == 0) {
    index[io + row] = at < cols ? at : 0;
    lse[lo + row] = most + log(sum);
  }
}
