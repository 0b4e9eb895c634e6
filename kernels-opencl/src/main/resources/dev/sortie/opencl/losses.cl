// Losses and their gradients: a group of WG work-items has one row of logits.

inline float row_max(__global const float* in, int cols, __local float* s) {
  vec most = -INFINITY;
  float rest = -INFINITY;
  VECTORS(c, cols) { most = fmax(most, LOAD(in + c)); }
  REST(c, cols) { rest = fmax(rest, in[c]); }
  return group_max(fmax(MAX(most), rest), s);
}

// log Σ exp(in), given the largest
inline float row_lse(__global const float* in, float most, int cols, __local float* s) {
  vec sums = 0;
  float rest = 0;
  VECTORS(c, cols) { sums += exp(LOAD(in + c) - most); }
  REST(c, cols) { rest += exp(in[c] - most); }
  return most + log(group_sum(SUM(sums) + rest, s));
}

// Logits become w (softmax - onehot), zeros where there is no target.
__kernel GROUP void cross_entropy_gradient(
    __global const int* targets, const ulong to, __global float* logits, const ulong xo,
    __global float* weight, const ulong wo, __global float* loss, const ulong lo, const int cols,
    const int confident) {
  SHARED(s);
  const ulong row = get_group_id(0);
  __global float* x = logits + xo + row * cols;
  const int target = targets[to + row];
  // No early return where there is no target: after one, even a uniform one, PoCL 3.1 mixes up the
  // work-items at barriers.
  const int none = target < 0;
  const float most = row_max(x, cols, s);
  const float lse = row_lse(x, most, cols, s);
  const float at_target = none ? lse : x[target];
  const float given = weight[wo + row];
  const float w = confident ? given * exp(most - lse) : given;
#if WG > 1
  // all have read the target's logit and the weight
  barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
#endif
  VECTORS(c, cols) { STORE(none ? (vec)(0) : w * exp(LOAD(x + c) - lse), x + c); }
  REST(c, cols) { x[c] = none ? 0 : w * exp(x[c] - lse); }
#if WG > 1
  barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
#endif
  if (LANE == 0) {
    if (!none) {
      x[target] -= w;
      weight[wo + row] = w;
    }
    loss[lo + row] = lse - at_target;
  }
}

// x becomes its log-softmax, p its softmax.
__kernel GROUP void log_softmax(
    __global float* logits, const ulong xo, __global float* p, const ulong po, const int cols) {
  SHARED(s);
  const ulong row = get_group_id(0);
  __global float* x = logits + xo + row * cols;
  __global float* out = p + po + row * cols;
  const float most = row_max(x, cols, s);
  const float lse = row_lse(x, most, cols, s);
  VECTORS(c, cols) {
    const vec l = LOAD(x + c) - lse;
    STORE(l, x + c);
    STORE(exp(l), out + c);
  }
  REST(c, cols) {
    const float l = x[c] - lse;
    x[c] = l;
    out[c] = exp(l);
  }
}

// Logits become w (softmax - p); loss Σ p (log p - log softmax), where 0 log 0 is 0.
__kernel GROUP void kl_gradient(
    __global const float* log_p, const ulong go, __global const float* p, const ulong po,
    __global float* logits, const ulong xo, __global float* weight, const ulong wo,
    __global float* loss, const ulong lo, const int cols, const int confident) {
  SHARED(s);
  const ulong row = get_group_id(0);
  __global float* x = logits + xo + row * cols;
  log_p += go + row * cols;
  p += po + row * cols;
  const float most = row_max(x, cols, s);
  const float lse = row_lse(x, most, cols, s);
  const float given = weight[wo + row];
  const float w = confident ? given * exp(most - lse) : given;
  vec sums = 0;
  float rest = 0;
  VECTORS(c, cols) {
    const vec l = LOAD(x + c) - lse;
    const vec q = LOAD(p + c);
    sums += select(q * (LOAD(log_p + c) - l), (vec)(0), q == 0);
    STORE(w * (exp(l) - q), x + c);
  }
  REST(c, cols) {
    const float l = x[c] - lse;
    rest += p[c] == 0 ? 0 : p[c] * (log_p[c] - l);
    x[c] = w * (exp(l) - p[c]);
  }
  const float sum = group_sum(SUM(sums) + rest, s);
  if (LANE == 0) {
    weight[wo + row] = w;
    loss[lo + row] = sum;
  }
}

__kernel GROUP void cross_entropy(
    __global const float* logits, const ulong xo, __global const int* targets, const ulong to,
    __global float* loss, const ulong lo, __global float* lse, const ulong so, const int cols) {
  SHARED(s);
  const ulong row = get_group_id(0);
  __global const float* x = logits + xo + row * cols;
  const float sum = row_lse(x, row_max(x, cols, s), cols, s);
  if (LANE == 0) {
    const int target = targets[to + row];
    loss[lo + row] = target < 0 ? 0 : sum - x[target];
    lse[so + row] = sum;
  }
}

__kernel GROUP void cross_entropy_backward(
    __global const float* logits, const ulong xo, __global const int* targets, const ulong to,
    __global const float* lse, const ulong so, __global const float* dloss, const ulong dlo,
    __global float* dlogits, const ulong dxo, const int cols) {
  const ulong row = get_group_id(0);
  const int target = targets[to + row];
  if (target < 0) {
    return;
  }
  const float d = dloss[dlo + row];
  const float l = lse[so + row];
  __global const float* x = logits + xo + row * cols;
  __global float* dx = dlogits + dxo + row * cols;
  for (int c = LANE; c < cols; c += WG) {
    dx[c] += d * (exp(x[c] - l) - (c == target ? 1.0f : 0.0f));
  }
}

__kernel GROUP void softmax_backward(
    __global const float* y, const ulong yo, __global const float* dy, const ulong dyo,
    __global float* dx, const ulong dxo, const int cols) {
  SHARED(s);
  const ulong at = get_group_id(0) * (ulong)cols;
  y += yo + at;
  dy += dyo + at;
  dx += dxo + at;
  float part = 0;
  for (int c = LANE; c < cols; c += WG) {
    part = fma(y[c], dy[c], part);
  }
  const float dot = group_sum(part, s);
  for (int c = LANE; c < cols; c += WG) {
    dx[c] = fma(y[c], dy[c] - dot, dx[c]);
  }
}
