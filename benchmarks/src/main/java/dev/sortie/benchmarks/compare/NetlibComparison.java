package dev.sortie.benchmarks.compare;

import dev.ludovic.netlib.blas.JavaBLAS;
import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * F32 matrix products against {@code dev.ludovic.netlib}, the BLAS that Spark uses on the JVM; it
 * takes the Vector API where the JVM has it. One thread, for it has no more.
 */
public final class NetlibComparison implements Comparison {
  /** The shapes of models without the largest, on which it takes seconds per call. */
  private static final double MOST_FLOPS = 3e9;

  /** For the command line. */
  public NetlibComparison() {}

  @Override
  public Measured run(Settings settings, Limits limits) {
    List<GemmShape> shapes =
        settings.choose(
            GemmShape.OF_MODELS.stream().filter(s -> s.flops() < MOST_FLOPS).toList(),
            GemmShape::toString);
    JavaBLAS blas = JavaBLAS.getInstance();
    List<Row> rows = new ArrayList<>();
    try (Device device = Device.cpu(1)) {
      for (GemmShape s : shapes) {
        Row row = measure(s, device, blas, settings, limits);
        settings.progress().accept(Table.line(row));
        rows.add(row);
      }
    }
    return new Measured("netlib " + blas.getClass().getSimpleName(), rows);
  }

  private static Row measure(
      GemmShape s, Device device, JavaBLAS blas, Settings settings, Limits limits) {
    try (NativeArena arena = new NativeArena("comparison")) {
      Span x = Fill.random(arena, DType.F32, (long) s.m() * s.k(), 1);
      Span w = Fill.random(arena, DType.F32, (long) s.n() * s.k(), 2);
      Span ours = arena.allocate(DType.F32, (long) s.m() * s.n()).span();
      float[] xs = x.segment().toArray(ValueLayout.JAVA_FLOAT);
      float[] ws = w.segment().toArray(ValueLayout.JAVA_FLOAT);
      float[] ys = new float[s.m() * s.n()];
      int m = s.m();
      int n = s.n();
      int k = s.k();
      Side mine = Side.compiled(GemmKind.NT.ours(device.kernels(), s, x, w, ours, arena));
      // column-major: yᵀ[n,m] = w · xᵀ, with w[n,k] of ours a column-major [k,n]
      Side peer = Side.compiled(() -> blas.sgemm("T", "N", n, m, k, 1, ws, k, xs, k, 0, ys, n));
      Span theirs = arena.allocate(DType.F32, (long) m * n).span();
      theirs.segment().copyFrom(java.lang.foreign.MemorySegment.ofArray(ys));
      PeerAgreement.check(s.toString(), ours, theirs, k);
      double[] seconds = Turns.medians(settings.rounds(), mine, peer);
      double rate = s.flops() / seconds[0];
      return new Row(
          s + " nt 1 thread",
          "nt 1 thread",
          rate * 1e-9,
          s.flops() / seconds[1] * 1e-9,
          "GFLOP/s",
          Map.of("limit_share", Figure.rounded(rate / limits.roofline(1, s.flops(), s.bytes()))));
    }
  }
}
