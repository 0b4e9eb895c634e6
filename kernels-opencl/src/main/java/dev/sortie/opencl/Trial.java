package dev.sortie.opencl;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.IntToDoubleFunction;

/**
 * A call on the device and the same call of the scalar reference, on small integers: sums have no
 * rounding, so that both must agree to the bit. Each operand lies between canaries.
 */
final class Trial {
  /** Elements before and after an operand, whole blocks of every type. */
  private static final int MARGIN = 256;

  private static final double CANARY = -77;

  /** Rows and columns of kernels that take rows: a rest after vectors and groups of any preset. */
  static final int ROWS = 5;

  static final int COLS = 83;

  /**
   * Two sequences, query heads that share keys, more keys than queries, a window that hides some of
   * them, and heads with a rest after vectors.
   */
  static final AttentionShape ATTENTION = new AttentionShape(2, 3, 21, 4, 2, 20, 1, 17);

  private final List<DType> types = new ArrayList<>();
  private final List<double[]> values = new ArrayList<>();
  private double tolerance;
  private Consumer<Span[]> device;
  private BiConsumer<Kernels, Span[]> reference;

  /**
   * Begins with {@link #ROWS} times {@link #COLS} logits that are multiples of 1024, all different
   * within a row: a softmax is one-hot.
   */
  static Trial apart() {
    return new Trial().f32(ROWS * COLS, i -> 1024 * ((i % COLS * 7 + i / COLS * 3) % COLS));
  }

  /** An F32 operand of integers from -3 to 3. */
  Trial f32(int count) {
    return f32(count, Trial::scattered);
  }

  Trial f32(int count, IntToDoubleFunction value) {
    return operand(DType.F32, count, value);
  }

  /** Integers from -3 to 3 that follow no simple pattern. */
  static double scattered(int i) {
    return Math.floorMod((i + 7L) * 2_654_435_761L >> 7, 7) - 3;
  }

  Trial operand(DType type, int count, IntToDoubleFunction value) {
    double[] v = new double[count];
    for (int i = 0; i < count; i++) {
      v[i] = value.applyAsDouble(i);
    }
    types.add(type);
    values.add(v);
    return this;
  }

  /** Results pass through a root or a division, which devices may round as they like. */
  Trial rounded() {
    tolerance = 1e-5;
    return this;
  }

  /** Calls of which the device and the reference make the same. */
  Trial calls(Kernels kernels, BiConsumer<Kernels, Span[]> calls) {
    return device(s -> calls.accept(kernels, s)).reference(calls);
  }

  Trial device(Consumer<Span[]> call) {
    device = call;
    return this;
  }

  Trial reference(BiConsumer<Kernels, Span[]> call) {
    reference = call;
    return this;
  }

  /** What is wrong, in one line; empty if nothing is. */
  String run() {
    Kernels scalar = new ScalarKernels();
    try (NativeArena arena = new NativeArena("trial of a kernel")) {
      Span[] wholes = new Span[types.size()];
      Span[] actual = spans(arena, scalar, wholes);
      Span[] expected = spans(arena, scalar, new Span[types.size()]);
      device.accept(actual);
      reference.accept(scalar, expected);
      for (int o = 0; o < actual.length; o++) {
        String wrong = difference(actual[o], expected[o]);
        if (wrong.isEmpty()) {
          wrong = canaries(wholes[o], values.get(o).length);
        }
        if (!wrong.isEmpty()) {
          return "operand " + o + wrong;
        }
      }
      return "";
    }
  }

  private Span[] spans(NativeArena arena, Kernels scalar, Span[] wholes) {
    Span[] spans = new Span[types.size()];
    for (int o = 0; o < spans.length; o++) {
      DType type = types.get(o);
      int count = values.get(o).length;
      Span plain = arena.allocate(type == DType.I32 ? type : DType.F32, count + 2L * MARGIN).span();
      for (int i = 0; i < plain.length(); i++) {
        int at = i - MARGIN;
        plain.set(i, at < 0 || at >= count ? CANARY : values.get(o)[at]);
      }
      wholes[o] = plain;
      if (type.block() == MARGIN) {
        wholes[o] = arena.allocate(type, plain.length()).span();
        wholeScales(type, wholes[o].segment());
      } else if (plain.dtype() != type) {
        wholes[o] = arena.allocate(type, plain.length()).span();
        scalar.copy(plain, wholes[o]);
      }
      spans[o] = wholes[o].slice(MARGIN, count);
    }
    return spans;
  }

  /**
   * Blocks of 256 elements with scales of 1 and any quanta: no encoder would find scales by which
   * its integers stay whole.
   */
  private static void wholeScales(DType type, MemorySegment blocks) {
    int size = type.blockBytes();
    for (long i = 0; i < blocks.byteSize(); i++) {
      byte any = (byte) ((i + 3) * 2_654_435_761L >> 9);
      boolean group = type == DType.Q6_K && i % size >= 192; // scales of 8 bits: sums stay small
      blocks.set(JAVA_BYTE, i, group ? (byte) (any & 7) : any);
    }
    for (long at = 0; at < blocks.byteSize(); at += size) {
      for (int scale : Blocks.scales(type)) {
        blocks.set(JAVA_SHORT_UNALIGNED, at + scale, Float.floatToFloat16(1));
      }
    }
  }

  private String difference(Span actual, Span expected) {
    double largest = 0;
    for (long i = 0; i < expected.length(); i++) {
      largest = Math.max(largest, Math.abs(expected.get(i)));
    }
    for (long i = 0; i < expected.length(); i++) {
      double a = actual.get(i);
      double e = expected.get(i);
      if (!(Math.abs(a - e) <= tolerance * largest)) {
        return ", element " + i + " of " + expected.length() + " is " + a + ", expected " + e;
      }
    }
    return "";
  }

  /** Canaries of quantised operands are compared where they stand for themselves: nowhere. */
  private static String canaries(Span whole, int count) {
    if (whole.dtype().isQuantised()) {
      return "";
    }
    for (long i = 0; i < whole.length(); i++) {
      long at = i - MARGIN;
      if ((at < 0 || at >= count) && whole.get(i) != CANARY) {
        return " of " + count + " elements: element " + at + " was overwritten";
      }
    }
    return "";
  }
}
