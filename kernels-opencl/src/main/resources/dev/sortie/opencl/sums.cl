// Sums in double, for devices that have it.
#pragma OPENCL EXTENSION cl_khr_fp64 : enable

inline double total8d(double8 v) {
  const double4 h = v.lo + v.hi;
  return (h.x + h.y) + (h.z + h.w);
}

// parts[at + g] = Σ x, or Σ x², over the g-th `chunk` elements; a chunk is a multiple of 8. The
// host adds the parts.
__kernel GROUP void sum_parts(
    __global const float* x, const ulong xo, __global double* parts, const ulong at,
    const ulong chunk, const ulong n, const int squares) {
  const ulong g = get_group_id(0);
  const ulong from = g * chunk;
  const ulong to = min(n, from + chunk);
  x += xo;
  double8 sums = 0;
  double rest = 0;
  const ulong whole = from + (to - from) / 8 * 8;
  for (ulong c = from + LANE * 8; c < whole; c += WG * 8) {
    const double8 v = convert_double8(vload8(0, x + c));
    sums += squares ? v * v : v;
  }
  for (ulong c = whole + LANE; c < to; c += WG) {
    const double v = x[c];
    rest += squares ? v * v : v;
  }
  double sum = total8d(sums) + rest;
#if WG > 1
  __local double s[WG];
  s[LANE] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int d = WG / 2; d > 0; d /= 2) {
    if (LANE < d) {
      s[LANE] += s[LANE + d];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  sum = s[0];
#endif
  if (LANE == 0) {
    parts[at + g] = sum;
  }
}
