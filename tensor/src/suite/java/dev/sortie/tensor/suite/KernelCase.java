package dev.sortie.tensor.suite;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One call of a kernel with its operands: run by a kernel set in F32 and by the scalar reference in
 * F64 on the same values, then compared operand by operand. Inputs are operands too, so a kernel
 * that writes to one fails; so does one that writes outside an operand, for each lies between
 * sentinels.
 *
 * @param name what and which sizes
 * @param tolerance largest difference, as a share of the largest magnitude in the operand; 0 where
 *     sums of integers are exact
 */
public record KernelCase(String name, double tolerance, List<Operand> operands, Call call) {
  private static final int MARGIN = 40;
  private static final double SENTINEL = -1234.5;

  /** Values of one operand, exact in {@code dtype}. Null stands for an operand left out. */
  public record Operand(DType dtype, double[] values) {}

  /** The call. */
  @FunctionalInterface
  public interface Call {
    /** Calls a kernel of {@code kernels}. */
    void run(Kernels kernels, Span[] operands);
  }

  /** Collects operands filled from a seeded generator. */
  public static final class Builder {
    private final SplittableRandom random;
    private final boolean integers;
    private final List<Operand> operands = new ArrayList<>();

    /** An empty list of operands; values are integers, or not. */
    public Builder(long seed, boolean integers) {
      this.random = new SplittableRandom(seed);
      this.integers = integers;
    }

    /** Values of a spread of some 2, or integers from -3 to 3. */
    public Builder f32(int count) {
      return add(DType.F32, count);
    }

    /** Values that are exact in {@code dtype}. */
    public Builder add(DType dtype, int count) {
      double[] values = new double[count];
      for (int i = 0; i < count; i++) {
        values[i] =
            integers
                ? random.nextInt(-3, 4)
                : random.nextInt(-48, 49) / 16.0 + random.nextInt(-64, 65) / 8192.0;
        values[i] = rounded(dtype, values[i]);
      }
      operands.add(new Operand(dtype, values));
      return this;
    }

    /** These values. */
    public Builder values(DType dtype, double... values) {
      operands.add(new Operand(dtype, values));
      return this;
    }

    /** I32 from {@code from} up to {@code limit}. */
    public Builder ids(int count, int from, int limit) {
      double[] values = new double[count];
      for (int i = 0; i < count; i++) {
        values[i] = random.nextInt(from, limit);
      }
      operands.add(new Operand(DType.I32, values));
      return this;
    }

    /** An operand left out. */
    public Builder missing() {
      operands.add(null);
      return this;
    }

    /** The case. */
    public KernelCase call(String name, double tolerance, Call call) {
      return new KernelCase(name, tolerance, new ArrayList<>(operands), call);
    }
  }

  /** {@code value} as {@code dtype} holds it. */
  public static double rounded(DType dtype, double value) {
    return switch (dtype) {
      case BF16 -> DType.fromBf16(DType.toBf16((float) value));
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) value));
      case F32 -> (float) value;
      case I32 -> (int) value;
      case F64 -> value;
      default -> throw new IllegalArgumentException("cases hold no quantised operands: " + dtype);
    };
  }

  /** Values of all operands after {@code kernels} ran; fails if a sentinel changed. */
  public double[][] run(Kernels kernels, boolean wide) {
    try (NativeArena arena = new NativeArena("test")) {
      Span[] whole = new Span[operands.size()];
      Span[] spans = new Span[operands.size()];
      for (int o = 0; o < spans.length; o++) {
        Operand operand = operands.get(o);
        if (operand == null) {
          continue;
        }
        DType dtype = wide && operand.dtype == DType.F32 ? DType.F64 : operand.dtype;
        int n = operand.values.length;
        // An odd offset as well: operands need not be aligned.
        whole[o] = arena.allocate(dtype, n + 2L * MARGIN + 1).span();
        spans[o] = whole[o].slice(MARGIN + 1, n);
        for (long i = 0; i < whole[o].length(); i++) {
          long at = i - MARGIN - 1;
          whole[o].set(i, at < 0 || at >= n ? SENTINEL : operand.values[(int) at]);
        }
      }
      call.run(kernels, spans);
      double[][] results = new double[spans.length][];
      for (int o = 0; o < spans.length; o++) {
        if (spans[o] == null) {
          continue;
        }
        results[o] = new double[(int) spans[o].length()];
        for (int i = 0; i < results[o].length; i++) {
          results[o][i] = spans[o].get(i);
        }
        double sentinel = rounded(spans[o].dtype(), SENTINEL);
        for (long i = 0; i < whole[o].length(); i++) {
          if (i == MARGIN + 1) {
            i += results[o].length;
          }
          if (whole[o].get(i) != sentinel) {
            long at = i - MARGIN - 1;
            assertThat(whole[o].get(i)).as("%s: operand %d at %d", name, o, at).isEqualTo(sentinel);
          }
        }
      }
      return results;
    }
  }

  /** Fails unless {@code kernels} agrees with the scalar reference in F64. */
  public void check(Kernels kernels) {
    double[][] expected = run(new ScalarKernels(), true);
    double[][] actual = run(kernels, false);
    for (int o = 0; o < expected.length; o++) {
      if (expected[o] == null) {
        continue;
      }
      double largest = 1e-30;
      for (double e : expected[o]) {
        largest = Math.max(largest, Math.abs(e));
      }
      for (int i = 0; i < expected[o].length; i++) {
        double e = expected[o][i];
        double a = actual[o][i];
        if (!(Math.abs(a - e) <= tolerance * largest)) {
          assertThat(a)
              .as(
                  "%s on %s: operand %d, element %d, tolerance %s of %s",
                  name, kernels.name(), o, i, tolerance, largest)
              .isEqualTo(e);
        }
      }
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
