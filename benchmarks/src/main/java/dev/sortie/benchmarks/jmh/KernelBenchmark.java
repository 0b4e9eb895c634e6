package dev.sortie.benchmarks.jmh;

import dev.sortie.benchmarks.compare.Fill;
import dev.sortie.benchmarks.limit.Limits;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the kernels' benchmarks share: the device, memory for the run, and the machine's limits,
 * measured in the same JVM before the kernel. Calls a second; {@link Work} has the rates.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public abstract class KernelBenchmark {
  private Device device;
  private NativeArena arena;
  private Limits limits;

  /** Opens the device and fills the inputs. */
  @Setup
  public final void open() {
    device = Device.cpu();
    arena = new NativeArena("benchmark");
    limits = Limits.measure(device.pool().threads());
    fill();
  }

  /** Frees all. */
  @TearDown
  public final void close() {
    arena.close();
    device.close();
  }

  /** Allocates and fills what the kernel reads and writes. */
  abstract void fill();

  final Kernels kernels() {
    return device.kernels();
  }

  final Limits limits() {
    return limits;
  }

  /** F32 values uniform in [-1, 1). */
  final Span random(long length) {
    return random(DType.F32, length);
  }

  /** Values uniform in [-1, 1), or random blocks of a quantised type. */
  final Span random(DType dtype, long length) {
    return Fill.random(arena, dtype, length, 1);
  }

  /** I32 ids below {@code bound}. */
  final Span ids(long length, int bound) {
    Span span = arena.allocate(DType.I32, length).span();
    for (long i = 0; i < length; i++) {
      span.set(i, i * 7919 % bound);
    }
    return span;
  }

  /** Sizes written as {@code 1536x576}. */
  static int[] sizes(String text) {
    return java.util.Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray();
  }
}
