package dev.sortie.nn.family;

import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What a tensor of the decoder is of the tensor that a file has: all of it, or one of several that
 * the file holds as one; and how it lies there.
 *
 * @param layout how it lies
 * @param part which of the fused tensors
 */
record Packing(Layout layout, Part part) {
  static final Packing WHOLE = new Packing(Layout.ROWS, Part.ALL);
  static final Packing PLUS_ONE = new Packing(Layout.PLUS_ONE, Part.ALL);
  static final Packing TRANSPOSED = new Packing(Layout.COLUMNS, Part.ALL);

  /** How outputs lie in the file's tensor. */
  enum Layout {
    /** A row each, one fused tensor after the other. */
    ROWS,
    /** A row each, the query, key and value rows of one head after those of another. */
    ROWS_BY_HEAD,
    /** A column each, one fused tensor after the other. */
    COLUMNS,
    /** As in the decoder, but each number is smaller by 1. */
    PLUS_ONE
  }

  /** Fused tensors. */
  enum Part {
    ALL,
    QUERY,
    KEY,
    VALUE,
    GATE,
    UP
  }

  /** The shape that the file's tensor must have for the decoder's to have {@code shape}. */
  List<Long> fileShape(DecoderConfig c, List<Long> shape) {
    long outputs = total(c, shape.getFirst());
    if (shape.size() == 1) {
      return List.of(outputs);
    }
    return layout == Layout.COLUMNS
        ? List.of(shape.get(1), outputs)
        : List.of(outputs, shape.get(1));
  }

  /** Whether the decoder's tensor is a run of the file's. */
  boolean isRun(List<Long> shape) {
    return layout == Layout.ROWS || (layout == Layout.COLUMNS && shape.size() == 1);
  }

  /** The type of the decoder's tensor. */
  DType type(DType stored) {
    return layout == Layout.PLUS_ONE ? DType.F32 : stored;
  }

  /**
   * The decoder's tensor of this shape: a part of {@code stored}, or a copy in memory of {@code
   * arena}.
   */
  Span take(Span stored, DecoderConfig c, List<Long> shape, NativeArena arena) {
    long outputs = shape.getFirst();
    long inputs = shape.size() == 1 ? 1 : shape.get(1);
    if (isRun(shape)) {
      return stored.slice(source(c, 0) * inputs, outputs * inputs);
    }
    Span out = arena.allocate(type(stored.dtype()), outputs * inputs).span();
    if (layout == Layout.PLUS_ONE) {
      for (long i = 0; i < outputs; i++) {
        out.set(i, 1 + stored.get(i));
      }
      return out;
    }
    long element = stored.bytes() / stored.length();
    MemorySegment from = stored.segment();
    MemorySegment to = out.segment();
    long total = total(c, outputs);
    for (long o = 0; o < outputs; o++) {
      long source = source(c, o);
      if (layout == Layout.ROWS_BY_HEAD) {
        long row = inputs * element;
        MemorySegment.copy(from, source * row, to, o * row, row);
      } else {
        for (long i = 0; i < inputs; i++) {
          long at = (i * total + source) * element;
          MemorySegment.copy(from, at, to, (o * inputs + i) * element, element);
        }
      }
    }
    return out;
  }

  /** The inverse of {@link #take}: puts the decoder's tensor where it belongs in the file's. */
  void put(Span part, Span whole, DecoderConfig c, List<Long> shape) {
    long outputs = shape.getFirst();
    long inputs = shape.size() == 1 ? 1 : shape.get(1);
    if (layout == Layout.PLUS_ONE) {
      for (long i = 0; i < outputs; i++) {
        whole.set(i, part.get(i) - 1);
      }
      return;
    }
    long element = part.bytes() / part.length();
    boolean columns = layout == Layout.COLUMNS && shape.size() > 1;
    long total = total(c, outputs);
    MemorySegment from = part.segment();
    MemorySegment to = whole.segment();
    for (long o = 0; o < outputs; o++) {
      long target = source(c, o);
      if (!columns) {
        long row = inputs * element;
        MemorySegment.copy(from, o * row, to, target * row, row);
      } else {
        for (long i = 0; i < inputs; i++) {
          long at = (i * total + target) * element;
          MemorySegment.copy(from, (o * inputs + i) * element, to, at, element);
        }
      }
    }
  }

  /** Outputs of all fused tensors together. */
  private long total(DecoderConfig c, long outputs) {
    long keys = (long) c.kvHeads() * c.headSize();
    return switch (part) {
      case ALL -> outputs;
      case QUERY, KEY, VALUE -> (long) c.heads() * c.headSize() + 2 * keys;
      case GATE, UP -> 2L * c.ffn();
    };
  }

  /** Number of the decoder's output {@code o} among all that are fused. */
  private long source(DecoderConfig c, long o) {
    if (layout == Layout.ROWS_BY_HEAD) {
      long size = c.headSize();
      return o / size * 3 * size + (part.ordinal() - Part.QUERY.ordinal()) * size + o % size;
    }
    long queries = (long) c.heads() * c.headSize();
    return o
        + switch (part) {
          case ALL, QUERY, GATE -> 0;
          case KEY -> queries;
          case VALUE -> queries + (long) c.kvHeads() * c.headSize();
          case UP -> c.ffn();
        };
  }
}
