package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.Projection;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The eager operations: each computes at once on a device, puts its result into a workspace and,
 * unless {@link NoGrad} holds or no input needs a gradient, records itself for the backward pass.
 * Views that are not contiguous are copied where an op needs them so.
 *
 * @param device where to compute
 * @param workspace where results live
 */
public record Ops(Device device, Workspace workspace) {

  /** The kernels of the device. */
  public Kernels kernels() {
    return device.kernels();
  }

  /** A new tensor in the workspace; contents undefined. */
  public Tensor empty(DType dtype, Shape shape) {
    return Tensor.allocate(workspace, dtype, shape);
  }

  /** A tensor filled with {@code value}. */
  public Tensor full(DType dtype, Shape shape, double value) {
    Tensor t = empty(dtype, shape);
    kernels().fill(t.span(), value);
    return t;
  }

  /** A copy of {@code x} in another type; no gradient flows through. */
  public Tensor convert(Tensor x, DType dtype) {
    Tensor y = empty(dtype, x.shape());
    kernels().copy(contiguous(x).span(), y.span());
    return y;
  }

  /**
   * Runs {@code body}, copies its result to {@code out}, and gives the memory of its temporaries
   * back. Only where nothing is being recorded, for a graph still needs them.
   *
   * @param out contiguous
   * @param body computes a tensor of that type and shape
   */
  public void into(Tensor out, Supplier<Tensor> body) {
    if (!NoGrad.isOn()) {
      throw new IllegalStateException("temporaries are given back only where nothing is recorded");
    }
    try (var _ = workspace.mark()) {
      kernels().copy(contiguous(body.get()).span(), out.span());
    }
  }

  /** {@code a + b}, with broadcasting. */
  public Tensor add(Tensor a, Tensor b) {
    Shape s = Shape.broadcast(a.shape(), b.shape());
    return apply(new ElementwiseOps.Add(), broadcast(a, s), broadcast(b, s));
  }

  /** {@code a * b}, element by element, with broadcasting. */
  public Tensor mul(Tensor a, Tensor b) {
    Shape s = Shape.broadcast(a.shape(), b.shape());
    return apply(new ElementwiseOps.Mul(), broadcast(a, s), broadcast(b, s));
  }

  /** {@code factor * x}. */
  public Tensor scale(Tensor x, double factor) {
    return apply(new ElementwiseOps.Scale(factor), x);
  }

  /** Each element of {@code x}, set to 0 or scaled up as {@code mask} says. */
  public Tensor dropout(Tensor x, DropoutMask mask) {
    return apply(new ElementwiseOps.Dropout(mask), x);
  }

  /** The sum of all elements. */
  public Tensor sum(Tensor x) {
    return apply(new ElementwiseOps.Sum(), x);
  }

  /** The mean of all elements. */
  public Tensor mean(Tensor x) {
    return scale(sum(x), 1.0 / x.shape().count());
  }

  /** {@code x [.., K] · w [N, K]ᵀ + bias [N]}; {@code bias} may be null. */
  public Tensor linear(Tensor x, Tensor w, Tensor bias) {
    return bias == null
        ? apply(new MatrixOps.Linear(), x, w)
        : apply(new MatrixOps.Linear(), x, w, bias);
  }

  /**
   * {@code linear} of one x with several weights, all at once where nothing is recorded.
   *
   * @param biases one a weight, or null
   */
  public List<Tensor> linears(Tensor x, List<Tensor> weights, List<Tensor> biases) {
    List<Tensor> results = new ArrayList<>(weights.size());
    if (!NoGrad.isOn()) {
      for (int i = 0; i < weights.size(); i++) {
        results.add(linear(x, weights.get(i), biases.get(i)));
      }
      return results;
    }
    Tensor rows = contiguous(x);
    List<Projection> projections = new ArrayList<>(weights.size());
    DType dtype = x.dtype();
    for (int i = 0; i < weights.size(); i++) {
      Tensor w = contiguous(weights.get(i));
      Tensor bias = biases.get(i) == null ? null : contiguous(biases.get(i));
      List<Tensor> inputs = bias == null ? List.of(rows, w) : List.of(rows, w, bias);
      Tensor y = empty(dtype, new MatrixOps.Linear().shape(inputs));
      results.add(y);
      projections.add(
          new Projection(w.span(), bias == null ? null : bias.span(), y.span(), w.shape().size(0)));
    }
    kernels().linears(rows.span(), projections, rows.shape().rows(), rows.shape().size(-1));
    return results;
  }

  /**
   * {@code table[ids]}: {@code [V, C]} and {@code [..]} give {@code [.., C]} in F32 (F64 if the
   * table is).
   */
  public Tensor embedding(Tensor table, Tensor ids) {
    return apply(new MatrixOps.Embedding(), table, ids);
  }

  /** RMSNorm over the last dim. */
  public Tensor rmsNorm(Tensor x, Tensor w, double eps) {
    return apply(new NormOps.RmsNorm(eps), x, w);
  }

  /** LayerNorm over the last dim; {@code b} may be null. */
  public Tensor layerNorm(Tensor x, Tensor w, Tensor b, double eps) {
    return b == null
        ? apply(new NormOps.LayerNorm(eps), x, w)
        : apply(new NormOps.LayerNorm(eps), x, w, b);
  }

  /** Rotary embedding of x {@code [B, T, H, D]}; cos and sin {@code [positions, rotary / 2]}. */
  public Tensor rope(Tensor x, Tensor cos, Tensor sin, RopeShape sizes) {
    return apply(new AttentionOps.Rope(sizes), x, cos, sin);
  }

  /** Causal grouped-query attention; layouts in {@link AttentionShape}. */
  public Tensor attention(Tensor q, Tensor k, Tensor v, AttentionShape sizes) {
    return apply(new AttentionOps.Attention(sizes), q, k, v);
  }

  /**
   * Attention with one more token in each softmax, whose value is zero: its share makes the result
   * smaller.
   *
   * @param u queries that are compared with the token, {@code [B, T, H, D]}
   * @param key its key, {@code K D} elements
   */
  public ZeroTokenAttention zeroTokenAttention(
      Tensor q, Tensor k, Tensor v, Tensor u, Tensor key, AttentionShape sizes) {
    Tensor both = apply(new AttentionOps.ZeroTokenAttention(sizes), q, k, v, u, key);
    long n = sizes.queryElements();
    int batch = sizes.batch();
    int tokens = sizes.queries();
    return new ZeroTokenAttention(
        reshape(slice(both, 0, 0, n), batch, tokens, sizes.heads(), sizes.headSize()),
        reshape(slice(both, 0, n, sizes.rows()), batch, tokens, sizes.heads()));
  }

  /** {@code silu(gate) * up}. */
  public Tensor swiglu(Tensor gate, Tensor up) {
    return apply(new ElementwiseOps.SwiGlu(), gate, up);
  }

  /** GELU, exact or by its tanh approximation. */
  public Tensor gelu(Tensor x, boolean tanh) {
    return apply(new ElementwiseOps.Gelu(tanh), x);
  }

  /** Softmax over the last dim. */
  public Tensor softmax(Tensor x) {
    return apply(new LossOps.Softmax(), x);
  }

  /**
   * Cross-entropy of each row in nats: logits {@code [.., V]}, targets I32 {@code [..]}, negative =
   * ignored (loss 0).
   */
  public Tensor crossEntropy(Tensor logits, Tensor targets) {
    return apply(new LossOps.CrossEntropy(), logits, targets);
  }

  /**
   * {@code KL(softmax(teacher) ‖ softmax(logits))} of each row in nats; no gradient to the teacher.
   */
  public Tensor kl(Tensor logits, Tensor teacher) {
    return apply(new LossOps.Kl(), logits, teacher);
  }

  /**
   * A head and cross-entropy in one, without the logits of all rows in memory: {@code Σ_r w_r l_r},
   * {@code l} the cross-entropy of {@code x Wᵀ} in nats.
   *
   * @param x hidden states {@code [.., C]}
   * @param w head {@code [V, C]}
   * @param targets I32 {@code [..]}, negative where there is nothing to predict
   * @param weights {@code [..]}; no gradient flows through them
   * @param confident weigh each row also by the largest probability that it gives, likewise without
   *     gradient
   */
  public HeadLoss linearCrossEntropy(
      Tensor x, Tensor w, Tensor targets, Tensor weights, boolean confident) {
    int chunk = HeadLosses.chunk(w.shape().dim(0));
    return headLoss(
        new HeadLosses.LinearCrossEntropy(confident, chunk), List.of(x, w, targets, weights));
  }

  /**
   * The heads of several students and {@code KL(teacher ‖ student)} in one, without the logits of
   * all rows in memory: per student {@code Σ_r w_r l_r}, {@code l} in nats.
   *
   * @param students hidden states {@code [.., C]} and head {@code [V, C]} of each
   * @param teacher its hidden states and head; no gradient flows through them
   * @param weights {@code [..]}; no gradient flows through them
   * @param confident weigh each row also by the largest probability that the student gives,
   *     likewise without gradient
   */
  public HeadLoss linearKl(
      List<HeadInput> students, HeadInput teacher, Tensor weights, boolean confident) {
    List<Tensor> in = new ArrayList<>();
    students.forEach(s -> in.addAll(List.of(s.x(), s.w())));
    in.addAll(List.of(teacher.x().detach(), teacher.w().detach(), weights));
    int chunk = HeadLosses.chunk(teacher.w().shape().dim(0));
    return headLoss(new HeadLosses.LinearKl(confident, chunk), in);
  }

  /**
   * Another module's op.
   *
   * @param inputs copied first where they are not contiguous
   */
  public Tensor apply(ForeignOp op, Tensor... inputs) {
    return apply((Op) op, inputs.clone());
  }

  /**
   * Another module's head and loss in one.
   *
   * @param op gives the sum and keeps the loss of each row as the first of its saved tensors
   */
  public HeadLoss headLoss(ForeignOp op, List<Tensor> inputs) {
    return headLoss((Op) op, inputs);
  }

  HeadLoss headLoss(Op op, List<Tensor> inputs) {
    Node node = run(op, inputs.stream().map(this::contiguous).toList());
    Tensor sum = recorded(node);
    return new HeadLoss(sum, node.saved().getFirst());
  }

  /** The same elements under another shape. */
  public Tensor reshape(Tensor x, long... dims) {
    return apply(new ViewOps.Reshape(Shape.of(dims)), contiguous(x));
  }

  /** Dims in another order: result dim {@code i} is input dim {@code order[i]}. */
  public Tensor permute(Tensor x, Integer... order) {
    return apply(new ViewOps.Permute(List.of(order)), x);
  }

  /** {@code count} neighbours from {@code from} on along {@code dim}. */
  public Tensor slice(Tensor x, int dim, long from, long count) {
    return apply(new ViewOps.Slice(dim, from, count), x);
  }

  /**
   * Repeats dims of size 1 and adds dims in front until the shape is {@code to}; copies nothing.
   */
  public Tensor broadcast(Tensor x, Shape to) {
    return x.shape().equals(to) ? x : apply(new ViewOps.Broadcast(to), x);
  }

  /** {@code x} without gaps: itself or a copy. */
  public Tensor contiguous(Tensor x) {
    return x.isContiguous() ? x : apply(new ViewOps.Contiguous(), x);
  }

  /** {@code x}, through which no gradient flows. */
  public Tensor stopGradient(Tensor x) {
    return x.detach();
  }

  /** {@code in} becomes what the op reads: copies of views, unless it takes views. */
  private Tensor apply(Op op, Tensor... in) {
    if (!(op instanceof ViewOp || op instanceof ViewOps.Contiguous)) {
      for (int i = 0; i < in.length; i++) {
        in[i] = contiguous(in[i]);
      }
    }
    return recorded(run(op, List.of(in)));
  }

  private static Tensor recorded(Node node) {
    boolean record = !NoGrad.isOn() && node.inputs().stream().anyMatch(Tensor::needsGrad);
    return record ? node.output().withProducer(node) : node.output();
  }

  private Node run(Op op, List<Tensor> in) {
    if (op instanceof ViewOp view) {
      return new Node(op, in, view.apply(in.get(0)), List.of());
    }
    Shape shape = op.shape(in);
    if (op instanceof ForeignOp foreign && foreign.isView()) {
      return new Node(op, in, in.get(0).detach(), List.of());
    }
    DType first = in.get(0).dtype();
    DType dtype = first.isCompute() || op instanceof ViewOps.Contiguous ? first : DType.F32;
    Tensor out = Tensor.allocate(workspace, dtype, shape);
    List<Tensor> saved = new ArrayList<>(2); // no stream: small models take a microsecond an op
    for (Shape s : op.saved(in)) {
      saved.add(Tensor.allocate(workspace, dtype, s));
    }
    Node node = new Node(op, in, out, saved);
    op.forward(device.kernels(), node);
    return node;
  }
}
