package dev.sortie.tensor.kernel;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Operands of kernels: random ones, and outputs amid sentinels. */
public final class TestSpans implements AutoCloseable {
  /** What stands in outputs before, and around them. */
  static final float SENTINEL = 12345.5f;

  private static final int MARGIN = 70;

  private final NativeArena arena = new NativeArena("operands");
  private final Random random;

  /** None yet. */
  public TestSpans(long seed) {
    this.random = new Random(seed);
  }

  /** Where they live. */
  public NativeArena arena() {
    return arena;
  }

  /** Memory that lasts as long as this. */
  public Span allocate(DType type, long length) {
    return arena.allocate(type, length).span();
  }

  /** Small integers: every product and sum is exact in F32, so any order gives the same bits. */
  Span integers(DType type, long length) {
    Span span = allocate(type, length);
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextInt(17) - 8);
    }
    return span;
  }

  /** Random numbers of mean 0 and variance 1. */
  public Span gaussians(DType type, long length) {
    Span span = allocate(type, length);
    for (long i = 0; i < length; i++) {
      span.set(i, random.nextGaussian());
    }
    return span;
  }

  /** Random blocks with scales of both signs, subnormal ones and zeros. */
  public Span blocks(DType type, long length, Random bits) {
    float[] scales = {0.011f, -0.02f, 0.3f, 0x1p-24f, 0f, -0f, -0x1p-15f, 0.7f, 0.05f, 11f, 0.001f};
    Span span = allocate(type, length);
    MemorySegment s = span.segment();
    byte[] bytes = new byte[(int) s.byteSize()];
    bits.nextBytes(bytes);
    s.copyFrom(MemorySegment.ofArray(bytes));
    int next = 0;
    for (long at = 0; at < s.byteSize(); at += type.blockBytes()) {
      for (int scale : Blocks.scales(type)) {
        s.set(
            JAVA_SHORT_UNALIGNED, at + scale, Float.floatToFloat16(scales[next++ % scales.length]));
      }
    }
    return span;
  }

  /** An output amid sentinels, at an address that no vector is aligned to. */
  Span output(long length) {
    Span all = allocate(DType.F32, length + 2 * MARGIN + 1);
    for (long i = 0; i < all.length(); i++) {
      all.set(i, SENTINEL);
    }
    return all.slice(MARGIN + 1, length);
  }

  /** Checks that nothing was written around an {@link #output}. */
  static void assertSentinels(Span output, String what) {
    Span all = output.storage().span();
    for (long i = 0; i < all.length(); i++) {
      if (i < output.offset() || i >= output.offset() + output.length()) {
        assertThat(all.get(i))
            .as("%s: element %d outside the output", what, i - output.offset())
            .isEqualTo(SENTINEL);
      }
    }
  }

  /** The elements. */
  static float[] floats(Span span) {
    float[] values = new float[(int) span.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) span.get(i);
    }
    return values;
  }

  @Override
  public void close() {
    arena.close();
  }
}
