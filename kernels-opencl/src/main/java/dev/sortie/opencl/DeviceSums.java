package dev.sortie.opencl;

import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Sums in F64 on a device that has it. Each tensor is cut into parts by its length alone; the
 * device adds up the elements of a part, the host the parts in their order, so that a sum has the
 * same bits in every run.
 */
final class DeviceSums {
  /** Elements of a part: a part of the sum, 8 bytes, comes home for 16 KiB that do not. */
  private static final long CHUNK = 4096;

  private final Engine engine;

  DeviceSums(Engine engine) {
    this.engine = engine;
  }

  private static long parts(Span x) {
    return (x.length() + CHUNK - 1) / CHUNK;
  }

  double sum(KernelQuery.Sum call) {
    List<Span> tensors = call.tensors();
    long all = tensors.stream().mapToLong(DeviceSums::parts).sum();
    if (all == 0) {
      return 0;
    }
    var memory = engine.scratch().of(all * Double.BYTES);
    long at = 0;
    for (Span x : tensors) {
      long parts = parts(x);
      if (parts > 0) {
        Launch launch = engine.call("sums", "sum_parts").in(x).buffer(memory).arg(at);
        launch.arg(CHUNK).arg(x.length()).arg(call.squares() ? 1 : 0).groups(parts);
      }
      at += parts;
    }
    double[] values = engine.session().read(memory, Math.toIntExact(all));
    double total = 0;
    int from = 0;
    for (Span x : tensors) { // of each tensor by itself, as the interface has it
      int to = from + (int) parts(x);
      double sum = 0;
      for (int i = from; i < to; i++) {
        sum += values[i];
      }
      total += sum;
      from = to;
    }
    return total;
  }
}
