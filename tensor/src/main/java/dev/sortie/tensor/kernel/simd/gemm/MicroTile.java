package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Adds a tile {@code [MR, NR]} that a micro-kernel has computed to C, or cuts it at the edge of C.
 * Rows of C are {@code ldc} bytes apart.
 */
final class MicroTile {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long VECTOR = 4L * Width.LANES;
  private static final long ROW = 4L * Gemm.NR;
  private static final long SIZE = Gemm.MR * ROW;

  private MicroTile() {}

  /** {@code c += tile}. */
  static void add(long tile, long c, long ldc) {
    long left = c;
    for (long at = tile; at != tile + SIZE; at += ROW) {
      for (long v = 0; v != ROW; v += VECTOR) {
        addVector(at + v, left + v);
      }
      left += ldc;
    }
  }

  private static void addVector(long from, long to) {
    FloatVector.fromMemorySegment(F, MEMORY, from, ORDER)
        .add(FloatVector.fromMemorySegment(F, MEMORY, to, ORDER))
        .intoMemorySegment(MEMORY, to, ORDER);
  }

  /** The first {@code height} rows and {@code width} columns, at an edge of C. */
  static void copyEdge(long tile, int height, int width, long c, long ldc) {
    for (int i = 0; i < height; i++) {
      for (int j = 0; j < width; j++) {
        set(c + i * ldc + 4L * j, get(tile + i * ROW + 4L * j));
      }
    }
  }

  /** Adds the first {@code height} rows and {@code width} columns, at an edge of C. */
  static void addEdge(long tile, int height, int width, long c, long ldc) {
    for (int i = 0; i < height; i++) {
      for (int j = 0; j < width; j++) {
        long at = c + i * ldc + 4L * j;
        set(at, get(tile + i * ROW + 4L * j) + get(at));
      }
    }
  }

  /** Adds {@code bias} to the first {@code height} rows and {@code width} columns of C. */
  static void addBias(long bias, int height, int width, long c, long ldc) {
    if (width == Gemm.NR) {
      for (int i = 0; i < height; i++) {
        for (long v = 0; v != ROW; v += VECTOR) {
          addVector(bias + v, c + i * ldc + v);
        }
      }
      return;
    }
    for (int i = 0; i < height; i++) {
      for (int j = 0; j < width; j++) {
        long at = c + i * ldc + 4L * j;
        set(at, get(at) + get(bias + 4L * j));
      }
    }
  }
}
