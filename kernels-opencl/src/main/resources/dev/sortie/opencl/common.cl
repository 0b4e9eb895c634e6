// What every program begins with. Set by the host:
//   WG  work-items of a group that shares a row, a power of two; 1 on a CPU, where a work-item has
//       vectors
//   VW  floats that a work-item takes at once: 4, 8 or 16
// OpenCL C 1.2. No fast-math flags: masks are infinities, and sums must not be reordered.
#pragma OPENCL FP_CONTRACT OFF

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
typedef PASTE(float, VW) vec;
#define LOAD(p) PASTE(vload, VW)(0, (p))
#define STORE(v, p) PASTE(vstore, VW)((v), 0, (p))
#define GROUP __attribute__((reqd_work_group_size(WG, 1, 1)))

inline float total4(float4 v) { return (v.x + v.y) + (v.z + v.w); }
inline float total8(float8 v) { return total4(v.lo + v.hi); }
inline float total16(float16 v) { return total8(v.lo + v.hi); }
inline float largest4(float4 v) { return fmax(fmax(v.x, v.y), fmax(v.z, v.w)); }
inline float largest8(float8 v) { return largest4(fmax(v.lo, v.hi)); }
inline float largest16(float16 v) { return largest8(fmax(v.lo, v.hi)); }
#define SUM(v) PASTE(total, VW)(v)
#define MAX(v) PASTE(largest, VW)(v)

// Scratch of the reductions over a group; nothing where a group is one work-item.
#if WG > 1
#define SHARED(name) __local float name[WG]
#else
#define SHARED(name) __local float* name = 0
#endif

// A tree over the group: the same order in every run. Each begins and ends with a barrier, so that
// scratch may be used again.
inline float group_sum(float x, __local float* s) {
#if WG > 1
  const int i = get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  s[i] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int d = WG / 2; d > 0; d /= 2) {
    if (i < d) {
      s[i] += s[i + d];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  x = s[0];
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
  return x;
}

inline float group_max(float x, __local float* s) {
#if WG > 1
  const int i = get_local_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  s[i] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int d = WG / 2; d > 0; d /= 2) {
    if (i < d) {
      s[i] = fmax(s[i], s[i + d]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  x = s[0];
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
  return x;
}

// For loops over a row of `count` floats: whole vectors, shared out to the group, then the rest
// element by element.
#define LANE ((int)get_local_id(0))
#define VECTORS(c, count) for (int c = LANE * VW; c + VW <= (count); c += WG * VW)
#define REST(c, count) for (int c = (count) / VW * VW + LANE; c < (count); c += WG)
