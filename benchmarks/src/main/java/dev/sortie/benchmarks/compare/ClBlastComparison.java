package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.benchmarks.measure.Side;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.benchmarks.peer.ClBlast;
import dev.sortie.benchmarks.peer.ClBlastTuning;
import dev.sortie.nn.InputException;
import dev.sortie.opencl.OpenClDevices;
import dev.sortie.opencl.OpenClKernels;
import dev.sortie.opencl.OpenClOptions;
import dev.sortie.opencl.OpenClProvider;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * F32 matrix products of {@link GemmShape#OF_MODELS} on the first OpenCL device against CLBlast on
 * the same one, weights in rows. Shapes of few rows have another kernel and are left out. With a
 * folder of its tuners' files CLBlast has their parameters, and for each shape the faster one of
 * its two kernels.
 */
public final class ClBlastComparison implements Comparison {
  private static final int FEW_ROWS = 16;

  /** For the command line. */
  public ClBlastComparison() {}

  @Override
  public Measured run(Settings settings, Limits limits) {
    OpenClDevices found = OpenClDevices.list();
    if (found.devices().isEmpty()) {
      throw new InputException(found.reason());
    }
    List<GemmShape> shapes =
        settings.choose(
            GemmShape.OF_MODELS.stream().filter(s -> s.m() > FEW_ROWS).toList(),
            GemmShape::toString);
    ClBlast blas = new ClBlast();
    String folder = System.getenv(ClBlastTuning.VARIABLE);
    boolean tuned = folder != null && !folder.isBlank();
    if (tuned) {
      ClBlastTuning.read(Path.of(folder)).kernels().forEach(blas::tune);
    }
    List<Row> rows = new ArrayList<>();
    try (Device cpu = Device.cpu(settings.threads());
        OpenClKernels kernels = OpenClProvider.open(0, cpu.kernels(), OpenClOptions.usual())) {
      for (GemmShape s : shapes) {
        Row row = measure(s, kernels, blas, tuned, settings);
        settings.progress().accept(Table.line(row));
        rows.add(row);
      }
    }
    String peer = tuned ? "CLBlast, tuned, on " : "CLBlast by its database on ";
    return new Measured(peer + found.devices().getFirst().name(), rows);
  }

  private static Row measure(
      GemmShape s, OpenClKernels kernels, ClBlast blas, boolean tuned, Settings settings) {
    try (NativeArena arena = new NativeArena("comparison")) {
      Span x = Fill.random(arena, DType.F32, (long) s.m() * s.k(), 1);
      Span w = Fill.random(arena, DType.F32, (long) s.n() * s.k(), 2);
      Span ours = arena.allocate(DType.F32, (long) s.m() * s.n()).span();
      Span theirs = arena.allocate(DType.F32, (long) s.m() * s.n()).span();
      MemorySegment a = blas.buffer(x.segment());
      MemorySegment b = blas.buffer(w.segment());
      MemorySegment c = blas.buffer(theirs.segment());
      Side mine =
          Side.compiled(
              () -> {
                kernels.gemm(false, true, s.m(), s.n(), s.k(), x, w, ours, false);
                kernels.finish();
              });
      Runnable product = () -> blas.multiply(s.m(), s.n(), s.k(), a, b, c);
      boolean direct = tuned && fasterDirectly(blas, product);
      Side peer = Side.of(product);
      blas.read(c, theirs.segment());
      PeerAgreement.check(s.toString(), ours, theirs, s.k());
      double[] seconds = Turns.medians(settings.rounds(), mine, peer);
      List.of(a, b, c).forEach(blas::release);
      return new Row(
          s + " nt",
          "nt",
          s.flops() / seconds[0] * 1e-9,
          s.flops() / seconds[1] * 1e-9,
          "GFLOP/s",
          tuned ? Map.of("peer_kernel", direct ? "direct" : "indirect") : Map.of());
    }
  }

  /** Takes the faster one of CLBlast's two kernels; which it is differs from shape to shape. */
  private static boolean fasterDirectly(ClBlast blas, Runnable product) {
    double[] seconds = new double[2];
    for (int way = 0; way < 2; way++) {
      blas.direct(way == 1);
      Side side = Side.of(product);
      seconds[way] = Turns.medians(3, side)[0];
    }
    boolean direct = seconds[1] < seconds[0];
    blas.direct(direct);
    return direct;
  }
}
