package dev.sortie.tensor.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.BlockEncoder;
import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Rows of any type as doubles: the switch over types happens once a row, so that the reference
 * kernels need one code path.
 */
final class ScalarRows {
  private ScalarRows() {}

  /** Elements {@code [from, from + count)}. */
  static double[] load(Span span, long from, int count) {
    double[] row = new double[count];
    load(span, from, row, count);
    return row;
  }

  static void load(Span span, long from, double[] row, int count) {
    Objects.checkFromIndexSize(from, count, span.length());
    MemorySegment s = span.storage().segment();
    long at = span.offset() + from;
    switch (span.dtype()) {
      case F32 -> {
        for (int i = 0; i < count; i++) {
          row[i] = s.get(JAVA_FLOAT_UNALIGNED, (at + i) * 4);
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          row[i] = s.get(JAVA_DOUBLE_UNALIGNED, (at + i) * 8);
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          row[i] = DType.fromBf16(s.get(JAVA_SHORT_UNALIGNED, (at + i) * 2));
        }
      }
      case F16 -> {
        for (int i = 0; i < count; i++) {
          row[i] = Float.float16ToFloat(s.get(JAVA_SHORT_UNALIGNED, (at + i) * 2));
        }
      }
      case I32 -> {
        for (int i = 0; i < count; i++) {
          row[i] = s.get(JAVA_INT_UNALIGNED, (at + i) * 4);
        }
      }
      default -> {
        int size = span.dtype().block();
        float[] block = new float[size];
        for (int i = 0; i < count; i++) {
          int in = (int) ((at + i) % size);
          if (i == 0 || in == 0) {
            Blocks.decode(span.dtype(), s, (at + i) / size * span.dtype().blockBytes(), block, 0);
          }
          row[i] = block[in];
        }
      }
    }
  }

  /** Rounds {@code row} to the type of {@code span} and stores it. */
  static void store(Span span, long from, double[] row, int count) {
    Objects.checkFromIndexSize(from, count, span.length());
    MemorySegment s = span.storage().segment();
    long at = span.offset() + from;
    switch (span.dtype()) {
      case F32 -> {
        for (int i = 0; i < count; i++) {
          s.set(JAVA_FLOAT_UNALIGNED, (at + i) * 4, (float) row[i]);
        }
      }
      case F64 -> {
        for (int i = 0; i < count; i++) {
          s.set(JAVA_DOUBLE_UNALIGNED, (at + i) * 8, row[i]);
        }
      }
      case BF16, F16, I32 -> {
        for (int i = 0; i < count; i++) {
          span.set(from + i, row[i]);
        }
      }
      default -> {
        float[] block = new float[span.dtype().block()];
        span.slice(from, count); // fails unless these are whole blocks
        for (int i = 0; i < count; i += block.length) {
          for (int e = 0; e < block.length; e++) {
            block[e] = (float) row[i + e];
          }
          BlockEncoder.encode(span.dtype(), block, 0, s, span.dtype().bytes(at + i));
        }
      }
    }
  }

  /** {@code span[from + i] += row[i]}, rounded once. */
  static void add(Span span, long from, double[] row, int count) {
    double[] sum = load(span, from, count);
    for (int i = 0; i < count; i++) {
      sum[i] += row[i];
    }
    store(span, from, sum, count);
  }

  static double dot(double[] a, int aFrom, double[] b, int bFrom, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += a[aFrom + i] * b[bFrom + i];
    }
    return sum;
  }

  /** Largest of the first {@code count} elements. */
  static double max(double[] row, int count) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, row[i]);
    }
    return max;
  }

  /** {@code log Σ exp(row[i])}, shifted by the largest element so that nothing overflows. */
  static double logSumExp(double[] row, int count) {
    double max = max(row, count);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += Math.exp(row[i] - max);
    }
    return max + Math.log(sum);
  }
}
