package dev.sortie.nn.load;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.nn.InputException;
import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;

/** Finds NaN and infinity by their exponent bits. */
public final class Finite {
  private Finite() {}

  /**
   * Fails if an element is not finite.
   *
   * @param where begins the message
   */
  public static void check(Span span, String where) {
    long at = firstBad(span);
    if (at >= 0) {
      throw new InputException(
          where
              + ": element "
              + at
              + " is "
              + span.get(at)
              + ", weights must be finite; the file is damaged or training diverged");
    }
  }

  /** The index of the first element that is not finite, or of the block that it is in; else -1. */
  public static long firstBad(Span span) {
    MemorySegment s = span.segment();
    return switch (span.dtype()) {
      case F32 -> {
        for (long i = 0; i < span.length(); i++) {
          if ((s.get(JAVA_INT_UNALIGNED, i * 4) & 0x7f800000) == 0x7f800000) {
            yield i;
          }
        }
        yield -1;
      }
      case BF16, F16 -> {
        int mask = span.dtype() == DType.BF16 ? 0x7f80 : 0x7c00;
        for (long i = 0; i < span.length(); i++) {
          if ((s.get(JAVA_SHORT_UNALIGNED, i * 2) & mask) == mask) {
            yield i;
          }
        }
        yield -1;
      }
      case F64 -> {
        for (long i = 0; i < span.length(); i++) {
          if ((s.get(JAVA_LONG_UNALIGNED, i * 8) & 0x7ff0000000000000L) == 0x7ff0000000000000L) {
            yield i;
          }
        }
        yield -1;
      }
      case I32 -> -1;
      default -> firstBadBlock(span.dtype(), s);
    };
  }

  private static long firstBadBlock(DType type, MemorySegment s) {
    int[] scales = Blocks.scales(type);
    for (long at = 0; at < s.byteSize(); at += type.blockBytes()) {
      for (int scale : scales) {
        if ((s.get(JAVA_SHORT_UNALIGNED, at + scale) & 0x7c00) == 0x7c00) {
          return at / type.blockBytes() * type.block();
        }
      }
    }
    return -1;
  }
}
