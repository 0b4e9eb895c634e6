package dev.sortie.tensor.kernel;

import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * Each kernel as a method: makes its call and has it carried out, or answered. Formulas, and what
 * may be null or in place, stand here and, of attention, in {@link AttentionMethods}; a set of
 * kernels does not implement these methods but the four that they use.
 *
 * <p>Conventions. All spans are contiguous and row-major, in F32 unless said otherwise; the scalar
 * reference also takes F64. Letters: M rows, N outputs, K inputs, R rows, C columns. Inputs and
 * outputs do not overlap unless a method allows it. "+=" means that the result is added to what the
 * output holds. Callers (ops) have checked shapes; the calls check types and lengths of what
 * kernels touch.
 */
public sealed interface KernelMethods extends AttentionMethods permits Kernels {

  /** See {@link Kernels#sum(KernelQuery.Sum)}. */
  double sum(KernelQuery.Sum call);

  /** See {@link Kernels#pack(KernelQuery.Pack)}. */
  PackedWeight pack(KernelQuery.Pack call);

  /** See {@link Kernels#tile(KernelQuery.Tile)}. */
  TiledWeight tile(KernelQuery.Tile call);

  // ---- memory and element-wise

  /** {@code y[i] = value}, any type. */
  default void fill(Span y, double value) {
    run(new ElementwiseCall.Fill(y, value));
  }

  /**
   * {@code y[i] = x[i]}, converting between any two types; rounds to nearest even. To quantised
   * types as {@link dev.sortie.tensor.dtype.BlockEncoder} does.
   */
  default void copy(Span x, Span y) {
    run(new ElementwiseCall.Copy(x, y));
  }

  /**
   * {@code y} (contiguous, same type) takes the elements of the view {@code layout} of {@code x} in
   * row-major order.
   */
  default void copyStrided(Span x, Strided layout, Span y) {
    run(new ElementwiseCall.CopyStrided(x, layout, y));
  }

  /**
   * The adjoint of {@link #copyStrided}: {@code y[layout] += x}. Elements met several times (stride
   * 0) sum up, in row-major order.
   */
  default void addStrided(Span x, Span y, Strided layout) {
    run(new ElementwiseCall.AddStrided(x, y, layout));
  }

  /** {@code z = x + y}; {@code z} may be {@code x} or {@code y}. */
  default void add(Span x, Span y, Span z) {
    run(new ElementwiseCall.Add(x, y, z));
  }

  /** {@code z = x * y}; {@code z} may be {@code x} or {@code y}. */
  default void mul(Span x, Span y, Span z) {
    run(new ElementwiseCall.Mul(x, y, z));
  }

  /** {@code z += x * y}. */
  default void mulAdd(Span x, Span y, Span z) {
    run(new ElementwiseCall.MulAdd(x, y, z));
  }

  /** {@code y = a * x}; {@code y} may be {@code x}. */
  default void scale(double a, Span x, Span y) {
    run(new ElementwiseCall.Scale(a, x, y));
  }

  /** {@code y += a * x}. */
  default void axpy(double a, Span x, Span y) {
    run(new ElementwiseCall.Axpy(a, x, y));
  }

  /** {@code y += a}. */
  default void addScalar(double a, Span y) {
    run(new ElementwiseCall.AddScalar(a, y));
  }

  /** {@code y[i] = x[i]} times the mask's factor of {@code i}; {@code y} may be {@code x}. */
  default void dropout(DropoutMask mask, Span x, Span y) {
    run(new ElementwiseCall.Dropout(mask, x, y));
  }

  /** {@code y[i] += x[i]} times the mask's factor of {@code i}. */
  default void dropoutAdd(DropoutMask mask, Span x, Span y) {
    run(new ElementwiseCall.DropoutAdd(mask, x, y));
  }

  /** Sum of all elements, in F64, in a fixed order. */
  default double sum(Span x) {
    return sum(new KernelQuery.Sum(List.of(x), false));
  }

  /** Sum of squares of all elements, in F64, in a fixed order. */
  default double sumSquares(Span x) {
    return sumSquares(List.of(x));
  }

  /**
   * Sum of squares of all elements of several tensors, in F64: that of each in a fixed order, these
   * added in the order of the list. One parallel region.
   */
  default double sumSquares(List<Span> tensors) {
    return sum(new KernelQuery.Sum(tensors, true));
  }

  // ---- matrices

  /**
   * {@code y[m,n] = x[m,k] · w[n,k]ᵀ + bias[n]}. NOT BLAS order: each row of {@code w} is one
   * output, as checkpoints store it.
   *
   * @param w F32, BF16, F16 or quantised, {@code k} then being a multiple of the block (F64 when
   *     {@code x} is); finite if F16, which is checked where weights are loaded
   * @param bias may be null
   */
  default void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    run(new MatrixCall.Linear(x, w, bias, y, m, n, k));
  }

  /**
   * {@code linear} with several weights, such as those of q, k and v: the same bits. A kernel set
   * may share them all out to its threads at once, which spares regions and evens small products.
   */
  default void linears(Span x, List<Projection> projections, int m, int k) {
    run(new MatrixCall.Linears(x, projections, m, k));
  }

  /**
   * {@code w[n,k]} in the order in which {@link #linear(Span, PackedWeight, Span, Span, int)} reads
   * it, in memory of {@code memory}. It pays for frozen weights that meet some 17 to 200 rows at a
   * time, see that method.
   *
   * @param w as in {@link #linear(Span, Span, Span, Span, int, int, int)}
   */
  default PackedWeight pack(Span w, int n, int k, Allocator memory) {
    return pack(new KernelQuery.Pack(w, n, k, memory));
  }

  /**
   * {@code y[m,n] = x[m,k] · wᵀ + bias[n]} with a weight packed by this kernel set. The bits are
   * those of the unpacked weight with more than {@link Kernels#ROW_STABLE} rows, for any number of
   * rows: with fewer they may differ from the unpacked product's.
   *
   * @param bias may be null
   */
  default void linear(Span x, PackedWeight w, Span bias, Span y, int m) {
    run(new MatrixCall.PackedLinear(x, w, bias, y, m));
  }

  /**
   * A quantised weight {@code [n, k]} in tiles, for products in integer arithmetic, or in F32 with
   * levels of 8 bits. The source is not needed for them any more.
   *
   * @param w in a type that has tiles, see {@link dev.sortie.tensor.kernel.tile.TileType#of}
   * @param memory where the tiles are put
   * @throws IllegalArgumentException if a scale of the weight is not finite
   */
  default TiledWeight tile(Span w, int n, int k, Allocator memory) {
    return tile(new KernelQuery.Tile(w, n, k, memory));
  }

  /**
   * Products of x with weights in tiles of this kernel set. x is rounded to some 9 bits group by
   * group, see {@link dev.sortie.tensor.kernel.tile.QuantisedRow}; the sum of a group is exact, and
   * groups are added in their order. Where levels have 8 bits x is not rounded, and elements are
   * added in F32 in their order. So the bits are the same for all kernel sets, vector widths,
   * numbers of threads and numbers of rows, and differ from those of {@link #linears}. Only of
   * types that {@link dev.sortie.tensor.kernel.tile.TileType#anyRows} excludes, products of more
   * than {@link Kernels#ROW_STABLE} rows have the bits of {@link #linears} with the weights as they
   * were.
   *
   * @param projections the weights; results do not overlap
   */
  default void tiledLinears(Span x, List<TiledProjection> projections, int m, int k) {
    run(new MatrixCall.TiledLinears(x, projections, m, k));
  }

  /**
   * {@code c[m,n] = op(a) · op(b)}, or {@code +=} when {@code accumulate}. {@code op(a)} is {@code
   * [m,k]}: stored so, or as {@code [k,m]} when {@code transA}; {@code op(b)} is {@code [k,n]}, or
   * stored as {@code [n,k]} when {@code transB}.
   *
   * @param b F32, BF16, F16 or quantised, its stored rows then being whole blocks (F64 when {@code
   *     a} is); finite if F16
   */
  default void gemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span c,
      boolean accumulate) {
    run(new MatrixCall.Gemm(transA, transB, m, n, k, a, b, c, accumulate));
  }

  /** {@code y[c] += Σ_r x[r,c]}. */
  default void sumRows(Span x, Span y, int rows, int cols) {
    run(new MatrixCall.SumRows(x, y, rows, cols));
  }

  // ---- embedding

  /** {@code y[r,:] = table[ids[r],:]}; table of any type but I32. Ids are checked. */
  default void gatherRows(Span table, Span ids, Span y, int rows, int cols) {
    run(new MatrixCall.GatherRows(table, ids, y, rows, cols));
  }

  /** {@code table[ids[r],:] += dy[r,:]}, in the order of r. */
  default void scatterAddRows(Span dy, Span ids, Span table, int rows, int cols) {
    run(new MatrixCall.ScatterAddRows(dy, ids, table, rows, cols));
  }

  // ---- normalisation

  /**
   * RMSNorm (arXiv 1910.07467): {@code rstd[r] = 1 / sqrt(mean(x[r]²) + eps); y = x * rstd * w}.
   */
  default void rmsNorm(Span x, Span w, double eps, Span y, Span rstd, int rows, int cols) {
    run(new NormCall.RmsNorm(x, w, eps, y, rstd, rows, cols));
  }

  /** {@code dx += …; dw += …}; either may be null. */
  default void rmsNormBackward(
      Span x, Span w, Span rstd, Span dy, Span dx, Span dw, int rows, int cols) {
    run(new NormCall.RmsNormBackward(x, w, rstd, dy, dx, dw, rows, cols));
  }

  /** LayerNorm (arXiv 1607.06450): {@code y = (x - mean) * rstd * w + b}; {@code b} may be null. */
  default void layerNorm(
      Span x, Span w, Span b, double eps, Span y, Span mean, Span rstd, int rows, int cols) {
    run(new NormCall.LayerNorm(x, w, b, eps, y, mean, rstd, rows, cols));
  }

  /** {@code dx += …; dw += …; db += …}; each may be null. */
  default void layerNormBackward(
      Span x,
      Span w,
      Span mean,
      Span rstd,
      Span dy,
      Span dx,
      Span dw,
      Span db,
      int rows,
      int cols) {
    run(new NormCall.LayerNormBackward(x, w, mean, rstd, dy, dx, dw, db, rows, cols));
  }

  // ---- activations

  /**
   * {@code y = silu(gate) * up}, {@code silu(x) = x / (1 + e^-x)} (arXiv 2002.05202); {@code y} may
   * be {@code gate}.
   */
  default void swiglu(Span gate, Span up, Span y) {
    run(new ActivationCall.Swiglu(gate, up, y));
  }

  /** {@code dgate = …; dup = …}; both are computed and overwritten. */
  default void swigluBackward(Span gate, Span up, Span dy, Span dgate, Span dup) {
    run(new ActivationCall.SwigluBackward(gate, up, dy, dgate, dup));
  }

  /** GELU (arXiv 1606.08415): {@code x Φ(x)}, exactly or by its tanh approximation. */
  default void gelu(Span x, Span y, boolean tanh) {
    run(new ActivationCall.Gelu(x, y, tanh));
  }

  /** {@code dx += …}. */
  default void geluBackward(Span x, Span dy, Span dx, boolean tanh) {
    run(new ActivationCall.GeluBackward(x, dy, dx, tanh));
  }

  /** Softmax of each row; {@code y} may be {@code x}. */
  default void softmax(Span x, Span y, int rows, int cols) {
    run(new ActivationCall.Softmax(x, y, rows, cols));
  }

  /** {@code dx += y * (dy - Σ y dy)}. */
  default void softmaxBackward(Span y, Span dy, Span dx, int rows, int cols) {
    run(new ActivationCall.SoftmaxBackward(y, dy, dx, rows, cols));
  }

  // ---- losses

  /**
   * {@code loss[r] = lse[r] - logits[r, target[r]]} in nats; rows whose target is negative are
   * ignored and get 0.
   *
   * @param targets I32 {@code [R]}
   * @param lse log-sum-exp of each row, kept for the backward pass
   */
  default void crossEntropy(Span logits, Span targets, Span loss, Span lse, int rows, int cols) {
    run(new LossCall.CrossEntropy(logits, targets, loss, lse, rows, cols));
  }

  /**
   * {@code dlogits[r,:] += dloss[r] * (softmax(logits[r]) - onehot(target[r]))}; nothing for
   * ignored rows.
   */
  default void crossEntropyBackward(
      Span logits, Span targets, Span lse, Span dloss, Span dlogits, int rows, int cols) {
    run(new LossCall.CrossEntropyBackward(logits, targets, lse, dloss, dlogits, rows, cols));
  }

  /**
   * {@code loss[r] = KL(softmax(teacher[r]) ‖ softmax(logits[r]))} in nats; keeps both
   * log-sum-exps.
   */
  default void kl(
      Span logits, Span teacher, Span loss, Span lse, Span teacherLse, int rows, int cols) {
    run(new LossCall.Kl(logits, teacher, loss, lse, teacherLse, rows, cols));
  }

  /**
   * {@code dlogits[r,:] += dloss[r] * (softmax(logits[r]) - softmax(teacher[r]))}; the teacher gets
   * no gradient.
   */
  default void klBackward(
      Span logits,
      Span teacher,
      Span lse,
      Span teacherLse,
      Span dloss,
      Span dlogits,
      int rows,
      int cols) {
    run(new LossCall.KlBackward(logits, teacher, lse, teacherLse, dloss, dlogits, rows, cols));
  }

  /**
   * Cross-entropy and its gradient in one pass: {@code loss[r]} as in {@link #crossEntropy}, and
   * {@code logits[r,:]} becomes {@code weight[r] * (softmax(logits[r]) - onehot(target[r]))}, zeros
   * for ignored rows.
   *
   * @param weight factor of each row
   * @param confident multiply {@code weight[r]}, in place and first, by the largest probability of
   *     the row
   */
  default void crossEntropyGradient(
      Span logits, Span targets, Span weight, Span loss, int rows, int cols, boolean confident) {
    run(new LossCall.CrossEntropyGradient(logits, targets, weight, loss, rows, cols, confident));
  }

  /** {@code p = softmax(x)} of each row, and {@code x} becomes its logarithm. */
  default void logSoftmax(Span x, Span p, int rows, int cols) {
    run(new LossCall.LogSoftmax(x, p, rows, cols));
  }

  /**
   * {@code loss[r] = KL(p[r] ‖ softmax(logits[r]))} in nats and its gradient in one pass: {@code
   * logits[r,:]} becomes {@code weight[r] * (softmax(logits[r]) - p[r])}.
   *
   * @param logP logarithm of {@code p}, both from {@link #logSoftmax}
   * @param weight factor of each row
   * @param confident multiply {@code weight[r]}, in place and first, by the largest probability of
   *     the row of logits
   */
  default void klGradient(
      Span logits,
      Span logP,
      Span p,
      Span weight,
      Span loss,
      int rows,
      int cols,
      boolean confident) {
    run(new LossCall.KlGradient(logits, logP, p, weight, loss, rows, cols, confident));
  }

  /** Per row the index of the largest element (the first one of equals) and the log-sum-exp. */
  default void argmax(Span x, Span index, Span lse, int rows, int cols) {
    run(new LossCall.Argmax(x, index, lse, rows, cols));
  }

  // ---- optimiser

  /** One AdamW step in place on several F32 tensors, in one parallel region. */
  default void adamW(List<AdamWCall.Update> updates) {
    run(new AdamWCall.Step(updates));
  }
}
