// Causal grouped-query attention. A group has one row: query `i` of head `h` of sequence `b`; its
// scores lie in scratch memory, so that any number of keys and any head size will do. Keys are
// counted from the first one that the row sees: a row gets the same bits whatever else is computed
// with it. Set by the host: KV_BF16 where keys and values are BF16, RUNS where they lie in up to 16
// places: the r-th run begins at element k_runs[r] of k and v_runs[r] of v, and ends before
// position run_ends[r].

#ifdef KV_BF16
typedef ushort kv;
#define KV(p) as_float((uint)(*(p)) << 16)
#define LOAD_KV(p) PASTE(as_float, VW)(PASTE(convert_uint, VW)(PASTE(vload, VW)(0, (p))) << 16)
#else
typedef float kv;
#define KV(p) (*(p))
#define LOAD_KV(p) LOAD(p)
#endif

#ifdef RUNS
#define RUN_ARGUMENTS , const ulong16 k_runs, const ulong16 v_runs, const int16 run_ends
// Positions only ascend in a loop, so that the run is looked for from the last one on.
#define EACH_RUN int run = 0
#define SEEK(j)                                                  \
  while (first + (j) >= ends[run]) {                             \
    run++;                                                       \
  }                                                              \
  const ulong in_run = (first + (j) - (run == 0 ? 0 : ends[run - 1])) * stride + head_at
#define KEY(j) (k + k_at[run] + in_run)
#define VALUE(j) (v + v_at[run] + in_run)
#else
#define RUN_ARGUMENTS
#define EACH_RUN
#define SEEK(j)
#define KEY(j) (k + (j) * stride)
#define VALUE(j) (v + (j) * stride)
#endif

__kernel GROUP void attention(
    __global const float* q, const ulong qo, __global const kv* k, const ulong ko,
    __global const kv* v, const ulong vo, __global float* out, const ulong oo,
    __global float* lse, const ulong lo, __global float* scratch, const ulong first_row,
    const int queries, const int keys, const int heads, const int kv_heads, const int size,
    const float factor, const int window RUN_ARGUMENTS) {
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
  const ulong head_at = (ulong)(h / (heads / kv_heads)) * size;
  __global float* scores = scratch + (ulong)get_group_id(0) * keys;
  q += qo + at;
#ifdef RUNS
  ulong k_at[16], v_at[16];
  int ends[16];
  vstore16(k_runs, 0, k_at);
  vstore16(v_runs, 0, v_at);
  vstore16(run_ends, 0, ends);
  k += ko;
  v += vo;
#else
  k += ko + (b * keys + first) * stride + head_at;
  v += vo + (b * keys + first) * stride + head_at;
#endif
  out += oo + at;

  float most = -INFINITY;
  EACH_RUN;
  for (int j = LANE; j < count; j += WG) {
    SEEK(j);
    __global const kv* key = KEY(j);
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
    EACH_RUN;
    for (int j = 0; j < count; j++) {
      SEEK(j);
      mixed = fma((vec)(scores[j]), LOAD_KV(VALUE(j) + d), mixed);
    }
    STORE(mixed / sum, out + d);
  }
  REST(d, size) {
    float mixed = 0;
    EACH_RUN;
    for (int j = 0; j < count; j++) {
      SEEK(j);
      mixed = fma(scores[j], KV(VALUE(j) + d), mixed);
    }
    out[d] = mixed / sum;
  }
  if (LANE == 0) {
    lse[lo + row] = most + log(sum);
  }
}

// Gradients. `attention_dq`: a group has a query row; `attention_dkv`: a group has one key of one
// kv head and all query rows that see it. The score's probability and its gradient lie in scratch
// memory, first one after the other for all partners, then they are summed up by element.
inline float dot_kv(__global const float* a, __global const kv* b, int size) {
  vec dots = 0;
  float rest = 0;
  int d = 0;
  for (; d + VW <= size; d += VW) {
    dots = fma(LOAD(a + d), LOAD_KV(b + d), dots);
  }
  for (; d < size; d++) {
    rest = fma(a[d], KV(b + d), rest);
  }
  return SUM(dots) + rest;
}

inline float dot_f32(__global const float* a, __global const float* b, int size) {
  float sum = 0;
  for (int d = 0; d < size; d++) {
    sum = fma(a[d], b[d], sum);
  }
  return sum;
}

__kernel GROUP void attention_dq(
    __global const float* q, const ulong qo, __global const kv* k, const ulong ko,
    __global const kv* v, const ulong vo, __global const float* out, const ulong oo,
    __global const float* lse, const ulong lo, __global const float* dout, const ulong doo,
    __global const float* dlse, const ulong dlo, const int has_dlse,
    __global float* dq, const ulong dqo, __global float* scratch, const ulong first_row,
    const int queries, const int keys, const int heads, const int kv_heads, const int size,
    const float factor, const int window) {
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
  __global float* ds = scratch + (ulong)get_group_id(0) * keys;
  q += qo + at;
  out += oo + at;
  dout += doo + at;
  dq += dqo + at;
  k += ko + kv_at;
  v += vo + kv_at;
  const float given = has_dlse ? dlse[dlo + row] : 0;
  const float delta = dot_f32(dout, out, size) - given;
  const float l = lse[lo + row];
  for (int j = LANE; j < count; j += WG) {
    const float p = exp(factor * dot_kv(q, k + j * stride, size) - l);
    ds[j] = factor * p * (dot_kv(dout, v + j * stride, size) - delta);
  }
#if WG > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
#endif
  for (int d = LANE; d < size; d += WG) {
    float sum = 0;
    for (int j = 0; j < count; j++) {
      sum = fma(ds[j], KV(k + j * stride + d), sum);
    }
    dq[d] = sum;
  }
}

__kernel GROUP void attention_dkv(
    __global const float* q, const ulong qo, __global const kv* k, const ulong ko,
    __global const kv* v, const ulong vo, __global const float* out, const ulong oo,
    __global const float* lse, const ulong lo, __global const float* dout, const ulong doo,
    __global const float* dlse, const ulong dlo, const int has_dlse,
    __global float* dk, const ulong dko, __global float* dv, const ulong dvo,
    __global float* scratch, const ulong first_row, const int queries, const int keys,
    const int heads, const int kv_heads, const int size, const float factor, const int window) {
  const ulong row = first_row + get_group_id(0);
  const int j = row % keys;
  const int kvh = row / keys % kv_heads;
  const ulong b = row / keys / kv_heads;
  const int group = heads / kv_heads;
  // queries that see key j: keys - queries + i >= j, and j > keys - queries + i - window
  const int from = max(0, j - (keys - queries));
  const int to = (int)min((long)queries, (long)j - (keys - queries) + window);
  const int count = max(0, to - from);
  const ulong at = ((b * keys + j) * kv_heads + kvh) * size;
  __global float* ps = scratch + (ulong)get_group_id(0) * 2 * group * queries;
  __global float* ds = ps + (ulong)group * queries;
  k += ko + at;
  v += vo + at;
  q += qo;
  out += oo;
  dout += doo;
  for (int e = LANE; e < group * count; e += WG) {
    const int h = kvh * group + e / count;
    const int i = from + e % count;
    const ulong at_q = ((b * queries + i) * heads + h) * size;
    const ulong at_lse = (b * heads + h) * queries + i;
    const float given = has_dlse ? dlse[dlo + at_lse] : 0;
    const float delta = dot_f32(dout + at_q, out + at_q, size) - given;
    const float p = exp(factor * dot_kv(q + at_q, k, size) - lse[lo + at_lse]);
    ps[e] = p;
    ds[e] = factor * p * (dot_kv(dout + at_q, v, size) - delta);
  }
#if WG > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
#endif
  for (int d = LANE; d < size; d += WG) {
    float sum_k = 0;
    float sum_v = 0;
    for (int e = 0; e < group * count; e++) {
      const int h = kvh * group + e / count;
      const int i = from + e % count;
      const ulong at_q = ((b * queries + i) * heads + h) * size + d;
      sum_k = fma(ds[e], q[at_q], sum_k);
      sum_v = fma(ps[e], dout[at_q], sum_v);
    }
    dk[dko + at + d] = sum_k;
    dv[dvo + at + d] = sum_v;
  }
}

// A token of value zero in each softmax of an attention that is done. A group has one row, as
// above.
__kernel GROUP void zero_token(
    __global const float* u, const ulong uo, __global const float* key, const ulong ko,
    __global float* out, const ulong oo, __global float* lse, const ulong lo,
    __global float* share, const ulong so, const int queries, const int heads, const int kv_heads,
    const int size, const float factor) {
  SHARED(s);
  const ulong row = get_group_id(0);
  const int i = row % queries;
  const int h = row / queries % heads;
  const ulong place = (row / queries / heads * queries + i) * heads + h;
  u += uo + place * size;
  key += ko + (ulong)(h / (heads / kv_heads)) * size;
  out += oo + place * size;
  vec dots = 0;
  float rest = 0;
  VECTORS(d, size) { dots = fma(LOAD(u + d), LOAD(key + d), dots); }
  REST(d, size) { rest = fma(u[d], key[d], rest); }
  const float z = factor * group_sum(SUM(dots) + rest, s);
  const float others = lse[lo + row];
  const float most = fmax(z, others);
  const float both = most + log(1 + exp(fmin(z, others) - most));
  const float kept = exp(others - both);
  VECTORS(d, size) { STORE(kept * LOAD(out + d), out + d); }
  REST(d, size) { out[d] *= kept; }
  // All work-items of the group have read the row's log-sum-exp.
#if WG > 1
  barrier(CLK_GLOBAL_MEM_FENCE);
#endif
  if (LANE == 0) {
    lse[lo + row] = both;
    share[so + place] = exp(z - both);
  }
}

// What the token's logit gets is left in scratch memory for the key's gradient.
__kernel GROUP void zero_token_rows(
    __global const float* key, const ulong ko, __global const float* out, const ulong oo,
    __global const float* share, const ulong so, __global const float* dout, const ulong doo,
    __global const float* dshare, const ulong dso, __global float* du, const ulong duo,
    __global float* dlse, const ulong dlo, __global float* scratch, const int queries,
    const int heads, const int kv_heads, const int size, const float factor) {
  SHARED(s);
  const ulong row = get_group_id(0);
  const int i = row % queries;
  const int h = row / queries % heads;
  const ulong place = (row / queries / heads * queries + i) * heads + h;
  key += ko + (ulong)(h / (heads / kv_heads)) * size;
  out += oo + place * size;
  dout += doo + place * size;
  du += duo + place * size;
  vec dots = 0;
  float rest = 0;
  VECTORS(d, size) { dots = fma(LOAD(dout + d), LOAD(out + d), dots); }
  REST(d, size) { rest = fma(dout[d], out[d], rest); }
  const float delta = group_sum(SUM(dots) + rest, s);
  const float taken = share[so + place];
  const float of_share = taken * dshare[dso + place];
  const float dz = factor * (of_share - taken * (delta + of_share));
  VECTORS(d, size) { STORE(dz * LOAD(key + d), du + d); }
  REST(d, size) { du[d] = dz * key[d]; }
  if (LANE == 0) {
    scratch[place] = dz;
    dlse[dlo + row] = -of_share;
  }
}

// A work-item has one element of the key and sums up over all rows, in their order.
__kernel void zero_token_key(
    __global const float* u, const ulong uo, __global float* dkey, const ulong dko,
    __global const float* scratch, const ulong tokens, const int heads, const int kv_heads,
    const int size) {
  const ulong element = get_global_id(0);
  if (element >= (ulong)kv_heads * size) {
    return;
  }
  const int group = heads / kv_heads;
  const int first = element / size * group;
  float sum = 0;
  for (ulong token = 0; token < tokens; token++) {
    for (int h = first; h < first + group; h++) {
      const ulong place = token * heads + h;
      sum = fma(scratch[place], u[uo + place * size + element % size], sum);
    }
  }
  dkey[dko + element] = sum;
}
