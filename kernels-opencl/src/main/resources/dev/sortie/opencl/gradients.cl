// Gradients that are no losses, and the optimiser's step. Sums over rows ascend by row in one
// work-item a column: the same order in every run.

#define ELEMENT(n) const ulong i = get_global_id(0); if (i >= (n)) return

// y[c] += Σ_r x[r, c]
__kernel void sum_rows(
    __global const float* x, const ulong xo, __global float* y, const ulong yo, const int rows,
    const ulong cols) {
  ELEMENT(cols);
  float sum = 0;
  for (int r = 0; r < rows; r++) {
    sum += x[xo + r * cols + i];
  }
  y[yo + i] += sum;
}

// table[ids[r], :] += dy[r, :]
__kernel void scatter_add(
    __global const float* dy, const ulong dyo, __global const int* ids, const ulong io,
    __global float* table, const ulong to, const int rows, const ulong cols) {
  ELEMENT(cols);
  for (int r = 0; r < rows; r++) {
    table[to + ids[io + r] * cols + i] += dy[dyo + r * cols + i];
  }
}

// dx += rstd (dy w - x rstd mean(dy w x rstd))
__kernel GROUP void rms_norm_backward_x(
    __global const float* x, const ulong xo, __global const float* w, const ulong wo,
    __global const float* rstd, const ulong ro, __global const float* dy, const ulong dyo,
    __global float* dx, const ulong dxo, const int cols) {
  SHARED(s);
  const ulong row = get_group_id(0);
  x += xo + row * cols;
  dy += dyo + row * cols;
  dx += dxo + row * cols;
  w += wo;
  const float scale = rstd[ro + row];
  vec sums = 0;
  float rest = 0;
  VECTORS(c, cols) { sums = fma(LOAD(dy + c) * LOAD(w + c), LOAD(x + c) * scale, sums); }
  REST(c, cols) { rest = fma(dy[c] * w[c], x[c] * scale, rest); }
  const float mean = group_sum(SUM(sums) + rest, s) / cols;
  VECTORS(c, cols) {
    const vec change = LOAD(dy + c) * LOAD(w + c) - LOAD(x + c) * scale * mean;
    STORE(LOAD(dx + c) + scale * change, dx + c);
  }
  REST(c, cols) { dx[c] += scale * (dy[c] * w[c] - x[c] * scale * mean); }
}

// dw[c] += Σ_r dy x rstd
__kernel void rms_norm_backward_w(
    __global const float* x, const ulong xo, __global const float* rstd, const ulong ro,
    __global const float* dy, const ulong dyo, __global float* dw, const ulong dwo,
    const int rows, const ulong cols) {
  ELEMENT(cols);
  float sum = 0;
  for (int r = 0; r < rows; r++) {
    sum = fma(dy[dyo + r * cols + i], x[xo + r * cols + i] * rstd[ro + r], sum);
  }
  dw[dwo + i] += sum;
}

// With x̂ = (x - mean) rstd and g = dy w: dx += rstd (g - mean(g) - x̂ mean(g x̂))
__kernel GROUP void layer_norm_backward_x(
    __global const float* x, const ulong xo, __global const float* w, const ulong wo,
    __global const float* mean, const ulong mo, __global const float* rstd, const ulong ro,
    __global const float* dy, const ulong dyo, __global float* dx, const ulong dxo,
    const int cols) {
  SHARED(s);
  const ulong row = get_group_id(0);
  x += xo + row * cols;
  dy += dyo + row * cols;
  dx += dxo + row * cols;
  w += wo;
  const float center = mean[mo + row];
  const float scale = rstd[ro + row];
  vec grads = 0;
  vec products = 0;
  float grad = 0;
  float product = 0;
  VECTORS(c, cols) {
    const vec g = LOAD(dy + c) * LOAD(w + c);
    grads += g;
    products = fma(g, (LOAD(x + c) - center) * scale, products);
  }
  REST(c, cols) {
    const float g = dy[c] * w[c];
    grad += g;
    product = fma(g, (x[c] - center) * scale, product);
  }
  const float mean_grad = group_sum(SUM(grads) + grad, s) / cols;
  const float mean_product = group_sum(SUM(products) + product, s) / cols;
  VECTORS(c, cols) {
    const vec normed = (LOAD(x + c) - center) * scale;
    const vec change = LOAD(dy + c) * LOAD(w + c) - mean_grad - normed * mean_product;
    STORE(LOAD(dx + c) + scale * change, dx + c);
  }
  REST(c, cols) {
    dx[c] += scale * (dy[c] * w[c] - mean_grad - (x[c] - center) * scale * mean_product);
  }
}

// dw[c] += Σ_r dy x̂
__kernel void layer_norm_backward_w(
    __global const float* x, const ulong xo, __global const float* mean, const ulong mo,
    __global const float* rstd, const ulong ro, __global const float* dy, const ulong dyo,
    __global float* dw, const ulong dwo, const int rows, const ulong cols) {
  ELEMENT(cols);
  float sum = 0;
  for (int r = 0; r < rows; r++) {
    sum = fma(dy[dyo + r * cols + i], (x[xo + r * cols + i] - mean[mo + r]) * rstd[ro + r], sum);
  }
  dw[dwo + i] += sum;
}

// dx += dy times the slope of x Φ(x), or of its tanh approximation
__kernel void gelu_backward(
    __global const float* x, const ulong xo, __global const float* dy, const ulong dyo,
    __global float* dx, const ulong dxo, const int approximate, const ulong n) {
  ELEMENT(n);
  const float a = x[xo + i];
  float slope;
  if (approximate) {
    const float gate = 0.5f * (1.0f + tanh(0.7978845608f * fma(0.044715f * a * a, a, a)));
    slope = gate +
            a * 2.0f * gate * (1.0f - gate) * 0.7978845608f * fma(3.0f * 0.044715f * a, a, 1.0f);
  } else {
    slope = 0.5f * (1.0f + erf(a * 0.7071067812f)) + a * exp(-0.5f * a * a) * 0.3989422804f;
  }
  dx[dxo + i] += dy[dyo + i] * slope;
}

__kernel void swiglu_backward(
    __global const float* gate, const ulong go, __global const float* up, const ulong uo,
    __global const float* dy, const ulong dyo, __global float* dgate, const ulong dgo,
    __global float* dup, const ulong duo, const ulong n) {
  ELEMENT(n);
  const float g = gate[go + i];
  const float u = up[uo + i];
  const float d = dy[dyo + i];
  const float sigmoid = 1.0f / (1.0f + exp(-g));
  dgate[dgo + i] = d * u * sigmoid * (1.0f + g * (1.0f - sigmoid));
  dup[duo + i] = d * g * sigmoid;
}

// g = grad_scale grad; m, v its moments; p -= lr (m / c1 / (sqrt(v / c2) + eps) + decay p)
__kernel void adamw(
    __global const float* grad, const ulong go, __global float* param, const ulong po,
    __global float* moment, const ulong mo, __global float* square, const ulong so,
    const float lr, const float beta1, const float rest1, const float beta2, const float rest2,
    const float eps, const float decay, const float correction1, const float correction2,
    const float grad_scale, const ulong n) {
  ELEMENT(n);
  const float g = grad_scale * grad[go + i];
  const float m = fma(beta1, moment[mo + i], rest1 * g);
  const float v = fma(beta2, square[so + i], rest2 * g * g);
  moment[mo + i] = m;
  square[so + i] = v;
  const float p = param[po + i];
  param[po + i] = p - lr * (m / correction1 / (sqrt(v / correction2) + eps) + decay * p);
}
