package dev.sortie.tensor;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Storage;
import java.util.Optional;

/**
 * An n-dimensional array: a view of off-heap storage, and where it came from if gradients flow
 * through it. Immutable but for its elements. Valid while the storage's scope is open.
 */
public final class Tensor {
  private final Storage storage;
  private final long offset;
  private final Shape shape;

  /** Null where elements are row-major without gaps, as those of most tensors are. */
  private final Strided layout;

  private final boolean parameter;
  private final Producer producer;

  private Tensor(
      Storage storage,
      long offset,
      Shape shape,
      Strided layout,
      boolean parameter,
      Producer producer) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.layout = layout;
    this.parameter = parameter;
    this.producer = producer;
  }

  /** A tensor in new memory. Zero if the allocator zeroes. */
  public static Tensor allocate(Allocator allocator, DType dtype, Shape shape) {
    return of(allocator.allocate(dtype, shape.count()), shape);
  }

  /** All of a storage, row-major. */
  public static Tensor of(Storage storage, Shape shape) {
    if (storage.length() != shape.count()) {
      throw new IllegalArgumentException(
          "shape "
              + shape
              + " needs "
              + shape.count()
              + " elements, the storage has "
              + storage.length());
    }
    return new Tensor(storage, 0, shape, null, false, null);
  }

  /** A run of a storage, row-major. */
  public static Tensor of(Span span, Shape shape) {
    if (span.length() != shape.count()) {
      throw new IllegalArgumentException(
          "shape "
              + shape
              + " needs "
              + shape.count()
              + " elements, the span has "
              + span.length());
    }
    return new Tensor(span.storage(), span.offset(), shape, null, false, null);
  }

  /** An F32 tensor with these elements, row-major. */
  public static Tensor of(Allocator allocator, Shape shape, float... values) {
    Tensor t = allocate(allocator, DType.F32, shape);
    if (values.length != shape.count()) {
      throw new IllegalArgumentException(
          "shape " + shape + " needs " + shape.count() + " values, got " + values.length);
    }
    for (int i = 0; i < values.length; i++) {
      t.span().set(i, values[i]);
    }
    return t;
  }

  /** An I32 tensor with these elements, row-major. */
  public static Tensor ids(Allocator allocator, Shape shape, int... values) {
    Tensor t = allocate(allocator, DType.I32, shape);
    if (values.length != shape.count()) {
      throw new IllegalArgumentException(
          "shape " + shape + " needs " + shape.count() + " values, got " + values.length);
    }
    t.span().segment().copyFrom(java.lang.foreign.MemorySegment.ofArray(values));
    return t;
  }

  /** The same elements as a leaf that collects a gradient. F32 or F64 and contiguous only. */
  public Tensor asParameter() {
    if (!dtype().isCompute() || !isContiguous()) {
      throw new IllegalArgumentException(
          "a parameter must be contiguous F32 or F64, this is " + this);
    }
    return new Tensor(storage, offset, shape, layout, true, null);
  }

  /** The same elements, cut off from the graph: no gradient flows through. */
  public Tensor detach() {
    return needsGrad() ? new Tensor(storage, offset, shape, layout, false, null) : this;
  }

  /** The same elements with what produced them. For ops only. */
  public Tensor withProducer(Producer producer) {
    return new Tensor(storage, offset, shape, layout, false, producer);
  }

  /** Another view of the same storage. For ops only; gradients do not follow. */
  public Tensor view(Shape newShape, long newOffset, Strided newLayout) {
    Strided gaps = newLayout.isContiguous() ? null : newLayout;
    return new Tensor(storage, newOffset, newShape, gaps, false, null);
  }

  /** The shape. */
  public Shape shape() {
    return shape;
  }

  /** The element type. */
  public DType dtype() {
    return storage.dtype();
  }

  /** First element in the storage, in elements. */
  public long offset() {
    return offset;
  }

  /** How the elements lie in the storage, relative to {@link #offset}. */
  public Strided layout() {
    return layout == null ? Strided.contiguous(shape.dims()) : layout;
  }

  /** The memory. */
  public Storage storage() {
    return storage;
  }

  /** Whether elements are row-major without gaps. */
  public boolean isContiguous() {
    return layout == null;
  }

  /** Whether this is a leaf that collects a gradient. */
  public boolean isParameter() {
    return parameter;
  }

  /** Whether a gradient flows to or through this tensor. */
  public boolean needsGrad() {
    return parameter || producer != null;
  }

  /** What produced this tensor, if gradients flow through it. */
  public Optional<Producer> producer() {
    return Optional.ofNullable(producer);
  }

  /** The elements as one run; fails if the view has gaps. */
  public Span span() {
    if (!isContiguous()) {
      throw new IllegalStateException("not contiguous: " + this + ", layout " + layout);
    }
    return storage.span(offset, shape.count());
  }

  /** Everything of the storage from this view's first element on; for strided kernels. */
  public Span base() {
    return storage.span(offset, storage.length() - offset);
  }

  /** The element at these indices, widened. Slow; for tests and scalars. */
  public double get(long... index) {
    if (index.length != shape.rank()) {
      throw new IllegalArgumentException(index.length + " indices for shape " + shape);
    }
    long at = 0;
    long[] strides = layout().strides();
    for (int i = 0; i < index.length; i++) {
      at += java.util.Objects.checkIndex(index[i], shape.dim(i)) * strides[i];
    }
    return base().get(at);
  }

  /** The only element. */
  public double item() {
    if (shape.count() != 1) {
      throw new IllegalStateException("item() of shape " + shape);
    }
    return base().get(0);
  }

  /** A copy of the elements; contiguous F32 only. */
  public float[] toFloats() {
    if (dtype() != DType.F32) {
      throw new IllegalStateException("toFloats() of " + dtype());
    }
    return span().readOnly().toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  @Override
  public String toString() {
    return dtype() + " tensor " + shape;
  }
}
