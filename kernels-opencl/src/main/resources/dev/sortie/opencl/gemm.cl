// C [m, n] = op(A) · op(B) (+ C) (+ bias [n]); element (i, kk) of op(A) lies at i * ai + kk * ak. Two ways, of which a device takes one.

// A CPU: rows of C begin ci apart. A work-item has a tile of 8 × 32 in vectors; B comes in panels (weights.cl), which are read straight through.
__kernel void gemm_panels(__global const float* a, const ulong ao, const ulong ai, const ulong ak, __global const float* panels, __global const float* bias,
                          const ulong bo, const int biased, __global float* c, const ulong co, const ulong ci, const int m, const int n,
                          const int k, const int accumulate) {
  const int i0 = get_global_id(0) * 8;
  const int j0 = get_global_id(1) * 32;
  __global const float* b = panels + (ulong)j0 * k;
  __global const float* rows[8];
#pragma unroll
  for (int r = 0; r < 8; r++) {
    rows[r] = a + ao + min(i0 + r, m - 1) * ai;
  }
  float16 left[8], right[8];
#pragma unroll
  for (int r = 0; r < 8; r++) {
    left[r] = 0;
    right[r] = 0;
  }
  for (ulong kk = 0; kk < k; kk++) {
    const float16 b0 = vload16(0, b + kk * 32);
    const float16 b1 = vload16(0, b + kk * 32 + 16);
#pragma unroll
    for (int r = 0; r < 8; r++) {
      const float16 x = (float16)(rows[r][kk * ak]);
      left[r] = fma(x, b0, left[r]);
      right[r] = fma(x, b1, right[r]);
    }
  }
#pragma unroll
  for (int r = 0; r < 8; r++) {
    if (i0 + r < m) {
      __global float* out = c + co + (i0 + r) * ci + j0;
      if (j0 + 32 <= n) {
        if (biased) {
          left[r] += vload16(0, bias + bo + j0);
          right[r] += vload16(1, bias + bo + j0);
        }
        if (accumulate) {
          left[r] += vload16(0, out);
          right[r] += vload16(1, out);
        }
        vstore16(left[r], 0, out);
        vstore16(right[r], 1, out);
      } else {
        float t[32];
        vstore16(left[r], 0, t);
        vstore16(right[r], 1, t);
        for (int j = 0; j0 + j < n; j++) {
          const float x = biased ? t[j] + bias[bo + j0 + j] : t[j];
          out[j] = accumulate ? out[j] + x : x;
        }
      }
    }
  }
}

// A GPU: a group of TX × TY work-items stages TILE_K columns of A and rows of B in local memory; a work-item has 4 × 4 of the result.
// Element (kk, j) of op(B) lies at kk * bk + j * bj.
#define TILE_K 16
#define TILE_M (TY * 4)
#define TILE_N (TX * 4)

__kernel __attribute__((reqd_work_group_size(TX, TY, 1))) void gemm_tiles(
    __global const float* a, const ulong ao, const ulong ai, const ulong ak, __global const float* b, const ulong b_at, const ulong bk, const ulong bj,
    __global const float* bias, const ulong bo, const int biased, __global float* c, const ulong co, const int m, const int n, const int k,
    const int accumulate) {
  __local float as[TILE_K][TILE_M];
  __local float bs[TILE_K][TILE_N];
  const int x = get_local_id(0);
  const int y = get_local_id(1);
  const int id = y * TX + x;
  const int i0 = get_group_id(1) * TILE_M;
  const int j0 = get_group_id(0) * TILE_N;
  float sums[4][4];
  for (int r = 0; r < 4; r++) {
    for (int t = 0; t < 4; t++) {
      sums[r][t] = 0;
    }
  }
  for (int from = 0; from < k; from += TILE_K) {
    // neighbours in memory go to neighbouring work-items: along k where that is the dense dim, else along the other
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
    for (int kk = 0; kk < TILE_K; kk++) {
      for (int r = 0; r < 4; r++) {
        for (int t = 0; t < 4; t++) {
          sums[r][t] = fma(as[kk][y + r * TY], bs[kk][x + t * TX], sums[r][t]);
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE); // before the next round overwrites the tiles
  }
  for (int r = 0; r < 4; r++) {
    for (int t = 0; t < 4; t++) {
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
