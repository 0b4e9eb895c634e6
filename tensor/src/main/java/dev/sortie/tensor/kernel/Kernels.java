package dev.sortie.tensor.kernel;

import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * The seam between ops and hardware: what runs on a device. Every implementation passes the same
 * suite, against the scalar reference. A set of kernels answers {@link #run}, {@link #sum}, {@link
 * #pack} and {@link #tile}; the methods of {@link KernelMethods} make the calls, and say what each
 * computes.
 *
 * <p>Determinism. Results do not depend on the number of threads. In {@link #linear(Span, Span,
 * Span, Span, int, int, int) linear} row {@code i} of the result has the same bits for every {@code
 * m} up to {@link #ROW_STABLE}: a token computed alone and one computed in a small batch agree
 * exactly, on which the exact KV cache of early-exit decoding stands. With more rows a row has
 * other bits, again the same for every {@code m}, so that a prompt may be read in chunks of any
 * such size. Both hold for the queries of {@link #attention} too.
 */
public non-sealed interface Kernels extends KernelMethods, AutoCloseable {

  /**
   * Up to this many rows, {@code linear} and {@link #attention} give each row the bits that it gets
   * alone.
   */
  int ROW_STABLE = 16;

  /** Name of the kernel set, such as {@code scalar} or {@code simd512}. */
  String name();

  /** Gives back what is held of a device; the CPU's kernels hold nothing. */
  @Override
  default void close() {}

  /**
   * Carries out a call, whose operands are checked already.
   *
   * @throws IllegalArgumentException if this set does not compute in the call's types
   */
  @Override
  void run(KernelCall call);

  /**
   * A hint that the first calls have up to {@code rows} rows. Kernels that pay only after many more
   * are then left out at first, so that the JVM does not have to compile them. No result depends on
   * it.
   */
  default void expectRows(int rows) {}

  /** The calls that {@link #run} carries a call out by: itself, unless a set replaces it. */
  default List<KernelCall> resolve(KernelCall call) {
    return List.of(call);
  }

  /** The sum that a call asks for. */
  @Override
  double sum(KernelQuery.Sum call);

  /** The weight that a call asks for. */
  @Override
  PackedWeight pack(KernelQuery.Pack call);

  /** The weight that a call asks for. */
  @Override
  TiledWeight tile(KernelQuery.Tile call);

  /** Whether products with weights in tiles are this set's fastest ones. */
  default boolean prefersTiles() {
    return true;
  }

  /**
   * Kernels that compute any number of rows in the arithmetic of up to {@link #ROW_STABLE} ones:
   * what decodes a text token by token is measured with them on many tokens at once. These kernels
   * themselves where both are the same arithmetic.
   */
  default Kernels stepwise() {
    return this;
  }
}
