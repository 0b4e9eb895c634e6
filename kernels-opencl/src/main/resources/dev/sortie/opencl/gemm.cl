// C [m, n] = op(A) · op(B) (+ C) (+ bias [n]); element (i, kk) of op(A) lies at i * ai + kk * ak.
// Two ways, of which a device takes one.

#ifdef PANEL
// A CPU: rows of C begin ci apart. A work-item has a tile of TILE_ROWS × PANEL in vectors; B comes
// in panels (weights.cl), which are read straight through.
#define LANES 16
#define ACROSS (PANEL / LANES)

__kernel void gemm_panels(
    __global const float* a, const ulong ao, const ulong ai, const ulong ak,
    __global const float* panels, __global const float* bias, const ulong bo, const int biased,
    __global float* c, const ulong co, const ulong ci, const int m, const int n, const int k,
    const int accumulate) {
  const int i0 = get_global_id(0) * TILE_ROWS;
  const int j0 = get_global_id(1) * PANEL;
  __global const float* b = panels + (ulong)j0 * k;
  __global const float* rows[TILE_ROWS];
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++) {
    rows[r] = a + ao + min(i0 + r, m - 1) * ai;
  }
  float16 sums[TILE_ROWS][ACROSS];
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++) {
#pragma unroll
    for (int t = 0; t < ACROSS; t++) {
      sums[r][t] = 0;
    }
  }
  for (ulong kk = 0; kk < k; kk++) {
    float16 right[ACROSS];
#pragma unroll
    for (int t = 0; t < ACROSS; t++) {
      right[t] = vload16(t, b + kk * PANEL);
    }
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
      const float16 x = (float16)(rows[r][kk * ak]);
#pragma unroll
      for (int t = 0; t < ACROSS; t++) {
        sums[r][t] = fma(x, right[t], sums[r][t]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++) {
    if (i0 + r < m) {
#pragma unroll
      for (int t = 0; t < ACROSS; t++) {
        const int j = j0 + t * LANES;
        __global float* out = c + co + (i0 + r) * ci + j;
        if (j + LANES <= n) {
          if (biased) {
            sums[r][t] += vload16(0, bias + bo + j);
          }
          if (accumulate) {
            sums[r][t] += vload16(0, out);
          }
          vstore16(sums[r][t], 0, out);
        } else if (j < n) {
          float rest[LANES];
          vstore16(sums[r][t], 0, rest);
          for (int e = 0; j + e < n; e++) {
            const float x = biased ? rest[e] + bias[bo + j + e] : rest[e];
            out[e] = accumulate ? out[e] + x : x;
          }
        }
      }
    }
  }
}
#endif

#ifdef TX
// A GPU: a group of TX × TY work-items stages TILE_K columns of A and rows of B in local memory; a
// work-item has PART_M × PART_N of the result. Element (kk, j) of op(B) lies at kk * bk + j * bj.
#define TILE_M (TY * PART_M)
#define TILE_N (TX * PART_N)

__kernel __attribute__((reqd_work_group_size(TX, TY, 1))) void gemm_tiles(
    __global const float* a, const ulong ao, const ulong ai, const ulong ak,
    __global const float* b, const ulong b_at, const ulong bk, const ulong bj,
    __global const float* bias, const ulong bo, const int biased, __global float* c, const ulong co,
    const int m, const int n, const int k, const int accumulate) {
  __local float as[TILE_K][TILE_M];
  __local float bs[TILE_K][TILE_N];
  const int x = get_local_id(0);
  const int y = get_local_id(1);
  const int id = y * TX + x;
  const int i0 = get_group_id(1) * TILE_M;
  const int j0 = get_group_id(0) * TILE_N;
  float sums[PART_M][PART_N];
#pragma unroll
  for (int r = 0; r < PART_M; r++) {
#pragma unroll
    for (int t = 0; t < PART_N; t++) {
      sums[r][t] = 0;
    }
  }
  for (int from = 0; from < k; from += TILE_K) {
    // neighbours in memory go to neighbouring work-items: along k where that is the dense dim, else
    // along the other
    for (int e = id; e < TILE_K * TILE_M; e += TX * TY) {
      const int kk = ak == 1 ? e % TILE_K : e / TILE_M;
      const int i = ak == 1 ? e / TILE_K : e % TILE_M;
      as[kk][i] = i0 + i < m && from + kk < k ? a[ao + (i0 + i) * ai + (from + kk) * ak] : 0;
    }
    for (int e = id; e < TILE_K * TILE_N; e += TX * TY) {
      const int kk = bk == 1 ? e % TILE_K : e / TILE_N;
      const int j = bk == 1 ? e / TILE_K : e % TILE_N;
      bs[kk][j] = j0 + j < n && from + kk < k ? b[b_at + (from + kk) * bk + (j0 + j) * bj] : 0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    // The loops over sums are unrolled, so that these are registers. Depth is no constant: PoCL 6's
    // cbs never ends a loop of constant length here.
    const int depth = min(TILE_K, k - from);
    for (int kk = 0; kk < depth; kk++) {
#pragma unroll
      for (int r = 0; r < PART_M; r++) {
#pragma unroll
        for (int t = 0; t < PART_N; t++) {
          sums[r][t] = fma(as[kk][y + r * TY], bs[kk][x + t * TX], sums[r][t]);
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE); // before the next round overwrites the tiles
  }
#pragma unroll
  for (int r = 0; r < PART_M; r++) {
#pragma unroll
    for (int t = 0; t < PART_N; t++) {
      const int i = i0 + y + r * TY;
      const int j = j0 + x + t * TX;
      if (i < m && j < n) {
        const float v = biased ? sums[r][t] + bias[bo + j] : sums[r][t];
        __global float* out = c + co + (ulong)i * n + j;
        *out = accumulate ? *out + v : v;
      }
    }
  }
}
#endif
