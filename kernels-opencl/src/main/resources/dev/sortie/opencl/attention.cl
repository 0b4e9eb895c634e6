// Causal grouped-query attention. A group has one row: query `i` of head `h` of sequence `b`; its scores lie in scratch memory, so that any number of keys
// and any head size will do. Keys are counted from the first one that the row sees: a row gets the same bits whatever else is computed with it.
// Set by the host: KV_BF16 where keys and values are BF16.

#ifdef KV_BF16
typedef ushort kv;
#define KV(p) as_float((uint)(*(p)) << 16)
#define LOAD_KV(p) PASTE(as_float, VW)(PASTE(convert_uint, VW)(PASTE(vload, VW)(0, (p))) << 16)
#else
typedef float kv;
#define KV(p) (*(p))
#define LOAD_KV(p) LOAD(p)
#endif

__kernel GROUP void attention(__global const float* q, const ulong qo, __global const kv* k, const ulong ko, __global const kv* v, const ulong vo,
                              __global float* out, const ulong oo, __global float* lse, const ulong lo, __global float* scratch, const ulong first_row,
                              const int queries, const int keys, const int heads, const int kv_heads, const int size, const float factor,
                              const int window) {
  SHARED(s);
  const ulong row = first_row + get_group_id(0);
  const int i = row % queries;
  const int h = row / queries % heads;
  const ulong b = row / queries / heads;
  const int visible = keys - queries + i + 1;
  const int first = max(0, visible - window);
  const int count = visible - first;
  const ulong stride = (ulong)kv_heads * size;
  const ulong at = ((b * queries + i) * heads + h) * size;
  const ulong kv_at = (b * keys + first) * stride + (ulong)(h / (heads / kv_heads)) * size;
  __global float* scores = scratch + (ulong)get_group_id(0) * keys;
  q += qo + at;
  k += ko + kv_at;
  v += vo + kv_at;
  out += oo + at;

  float most = -INFINITY;
  for (int j = LANE; j < count; j += WG) {
    __global const kv* key = k + j * stride;
    vec dots = 0;
    float dot1 = 0;
    int d = 0;
    for (; d + VW <= size; d += VW) {
      dots = fma(LOAD(q + d), LOAD_KV(key + d), dots);
    }
    for (; d < size; d++) {
      dot1 = fma(q[d], KV(key + d), dot1);
    }
    const float score = factor * (SUM(dots) + dot1);
    scores[j] = score;
    most = fmax(most, score);
  }
  most = group_max(most, s);
#if WG > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
#endif

  vec sums = 0;
  float rest = 0;
  VECTORS(c, count) {
    const vec e = exp(LOAD(scores + c) - most);
    STORE(e, scores + c);
    sums += e;
  }
  REST(c, count) {
    const float e = exp(scores[c] - most);
    scores[c] = e;
    rest += e;
  }
  const float sum = group_sum(SUM(sums) + rest, s);
#if WG > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
#endif

  VECTORS(d, size) {
    vec mixed = 0;
    for (int j = 0; j < count; j++) {
      mixed = fma((vec)(scores[j]), LOAD_KV(v + j * stride + d), mixed);
    }
    STORE(mixed / sum, out + d);
  }
  REST(d, size) {
    float mixed = 0;
    for (int j = 0; j < count; j++) {
      mixed = fma(scores[j], KV(v + j * stride + d), mixed);
    }
    out[d] = mixed / sum;
  }
  if (LANE == 0) {
    lse[lo + row] = most + log(sum);
  }
}
