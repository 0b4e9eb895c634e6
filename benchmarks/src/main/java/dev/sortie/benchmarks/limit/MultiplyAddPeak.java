package dev.sortie.benchmarks.limit;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The most F32 multiply-adds a core can do: independent chains of fused multiply-adds in registers,
 * no memory. Sixteen chains hide the latency of two units with four cycles each and still fit 32
 * registers; eight chains gave the same on one unit, half on two.
 */
final class MultiplyAddPeak {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int CHAINS = 16;
  private static final int ROUNDS = 4096;

  /** Floating-point operations of one {@link #burst}. */
  static final double FLOPS = 2.0 * CHAINS * ROUNDS * F.length();

  private MultiplyAddPeak() {}

  /** One burst; the result depends on all of it, so that none of it is dropped. */
  static float burst(float seed) {
    FloatVector x = FloatVector.broadcast(F, 0.5f);
    FloatVector y = FloatVector.broadcast(F, seed);
    FloatVector a = y;
    FloatVector b = y.add(1);
    FloatVector c = y.add(2);
    FloatVector d = y.add(3);
    FloatVector e = y.add(4);
    FloatVector f = y.add(5);
    FloatVector g = y.add(6);
    FloatVector h = y.add(7);
    FloatVector i = y.add(8);
    FloatVector j = y.add(9);
    FloatVector k = y.add(10);
    FloatVector l = y.add(11);
    FloatVector m = y.add(12);
    FloatVector n = y.add(13);
    FloatVector o = y.add(14);
    FloatVector p = y.add(15);
    for (int r = 0; r < ROUNDS; r++) {
      a = a.fma(x, y);
      b = b.fma(x, y);
      c = c.fma(x, y);
      d = d.fma(x, y);
      e = e.fma(x, y);
      f = f.fma(x, y);
      g = g.fma(x, y);
      h = h.fma(x, y);
      i = i.fma(x, y);
      j = j.fma(x, y);
      k = k.fma(x, y);
      l = l.fma(x, y);
      m = m.fma(x, y);
      n = n.fma(x, y);
      o = o.fma(x, y);
      p = p.fma(x, y);
    }
    FloatVector low = a.add(b).add(c).add(d).add(e).add(f).add(g).add(h);
    FloatVector high = i.add(j).add(k).add(l).add(m).add(n).add(o).add(p);
    return low.add(high).lane(0);
  }
}
