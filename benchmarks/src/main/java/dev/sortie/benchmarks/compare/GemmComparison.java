package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Figure;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.benchmarks.peer.OpenBlas;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** F32 matrix products of {@link GemmShape#OF_MODELS} against OpenBLAS. */
public final class GemmComparison implements Comparison {

  private record Case(GemmShape shape, GemmKind kind, int threads) {
    String group() {
      return kind.word() + (threads == 1 ? " 1 thread" : " " + threads + " threads");
    }

    String name() {
      return shape + " " + group();
    }
  }

  /** For the command line. */
  public GemmComparison() {}

  @Override
  public Measured run(Settings settings, Limits limits) {
    List<Case> cases = settings.choose(cases(settings.threads()), Case::name);
    OpenBlas blas = OpenBlas.load(settings.peers());
    List<Row> rows = new ArrayList<>();
    try (Device one = Device.cpu(1);
        Device all = Device.cpu(settings.threads())) {
      for (Case c : cases) {
        blas.threads(c.threads);
        rows.add(measure(c, c.threads == 1 ? one : all, blas, settings, limits));
      }
    }
    return new Measured(blas.version(), rows);
  }

  private static List<Case> cases(int threads) {
    return IntStream.of(threads, 1)
        .distinct()
        .boxed()
        .flatMap(
            t ->
                java.util.Arrays.stream(GemmKind.values())
                    .flatMap(kind -> GemmShape.OF_MODELS.stream().map(s -> new Case(s, kind, t))))
        .toList();
  }

  private static Row measure(
      Case c, Device device, OpenBlas blas, Settings settings, Limits limits) {
    GemmShape s = c.shape;
    try (NativeArena arena = new NativeArena("comparison")) {
      Span x = Fill.random(arena, DType.F32, (long) s.m() * s.k(), 1);
      Span w = Fill.random(arena, DType.F32, (long) s.n() * s.k(), 2);
      Span ours = arena.allocate(DType.F32, (long) s.m() * s.n()).span();
      Span theirs = arena.allocate(DType.F32, (long) s.m() * s.n()).span();
      MemorySegment xs = x.segment();
      MemorySegment ws = w.segment();
      MemorySegment ys = theirs.segment();
      Side mine = Side.compiled(c.kind.ours(device.kernels(), s, x, w, ours, arena));
      Side peer =
          Side.of(() -> blas.multiply(c.kind.transposed(), s.m(), s.n(), s.k(), xs, ws, ys));
      PeerAgreement.check(c.name(), ours, theirs, s.k());
      double[] seconds = Turns.medians(settings.rounds(), mine, peer);
      double rate = s.flops() / seconds[0];
      Row row =
          new Row(
              c.name(),
              c.group(),
              rate * 1e-9,
              s.flops() / seconds[1] * 1e-9,
              "GFLOP/s",
              Map.of(
                  "limit_share",
                  Figure.rounded(rate / limits.roofline(c.threads, s.flops(), s.bytes()))));
      settings.progress().accept(Table.line(row));
      return row;
    }
  }
}
