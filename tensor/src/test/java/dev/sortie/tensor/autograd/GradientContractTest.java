package dev.sortie.tensor.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.AttentionShape;
import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every op's gradient equals finite differences in F64, and no op goes without such a case. */
class GradientContractTest {

  /**
   * One check.
   *
   * @param op the op it stands for
   * @param what distinguishes cases of one op
   * @param shapes of the parameters, drawn from N(0, 1)
   * @param f computes with them
   */
  record Case(
      Class<? extends Op> op,
      String what,
      List<Shape> shapes,
      BiFunction<Ops, List<Tensor>, Tensor> f) {
    @Override
    public String toString() {
      return op.getSimpleName() + (what.isEmpty() ? "" : ", " + what);
    }
  }

  private static Case of(
      Class<? extends Op> op,
      String what,
      BiFunction<Ops, List<Tensor>, Tensor> f,
      Shape... shapes) {
    return new Case(op, what, List.of(shapes), f);
  }

  static Stream<Case> cases() {
    AttentionShape grouped = new AttentionShape(2, 3, 3, 4, 2, 5, 0.4);
    AttentionShape later = new AttentionShape(1, 2, 5, 2, 1, 3, 0.7);
    AttentionShape near = new AttentionShape(2, 3, 4, 4, 2, 5, 0.4, 2);
    RopeShape half = new RopeShape(2, 3, 2, 6, 6, 1, false);
    RopeShape partial = new RopeShape(1, 2, 2, 6, 4, 0, true);
    return Stream.of(
        of(
            ElementwiseOps.Add.class,
            "",
            (o, x) -> o.add(x.get(0), x.get(1)),
            Shape.of(2, 3),
            Shape.of(2, 3)),
        of(
            ElementwiseOps.Add.class,
            "broadcast",
            (o, x) -> o.add(x.get(0), x.get(1)),
            Shape.of(2, 3, 4),
            Shape.of(3, 1)),
        of(
            ElementwiseOps.Add.class,
            "with itself",
            (o, x) -> o.add(x.get(0), x.get(0)),
            Shape.of(5)),
        of(
            ElementwiseOps.Mul.class,
            "",
            (o, x) -> o.mul(x.get(0), x.get(1)),
            Shape.of(2, 3),
            Shape.of(2, 3)),
        of(
            ElementwiseOps.Mul.class,
            "broadcast",
            (o, x) -> o.mul(x.get(0), x.get(1)),
            Shape.of(1, 3),
            Shape.of(4, 1)),
        of(
            ElementwiseOps.Mul.class,
            "with itself",
            (o, x) -> o.mul(x.get(0), x.get(0)),
            Shape.of(5)),
        of(ElementwiseOps.Scale.class, "", (o, x) -> o.scale(x.get(0), -2.5), Shape.of(7)),
        of(
            ElementwiseOps.Dropout.class,
            "",
            (o, x) -> o.dropout(x.get(0), new DropoutMask(3, 5, 30_000, 41)),
            Shape.of(4, 9)),
        of(ElementwiseOps.Sum.class, "", (o, x) -> o.sum(x.get(0)), Shape.of(3, 4)),
        of(
            ElementwiseOps.Sum.class,
            "twice used",
            (o, x) -> o.mul(o.sum(x.get(0)), o.mean(o.mul(x.get(0), x.get(0)))),
            Shape.of(3)),
        of(
            ElementwiseOps.SwiGlu.class,
            "",
            (o, x) -> o.swiglu(x.get(0), x.get(1)),
            Shape.of(3, 5),
            Shape.of(3, 5)),
        of(
            ElementwiseOps.SwiGlu.class,
            "frozen gate",
            (o, x) -> o.swiglu(constant(o, Shape.of(3)), x.get(0)),
            Shape.of(3)),
        of(ElementwiseOps.Gelu.class, "exact", (o, x) -> o.gelu(x.get(0), false), Shape.of(9)),
        of(ElementwiseOps.Gelu.class, "tanh", (o, x) -> o.gelu(x.get(0), true), Shape.of(9)),
        of(
            MatrixOps.Linear.class,
            "",
            (o, x) -> o.linear(x.get(0), x.get(1), null),
            Shape.of(2, 3, 4),
            Shape.of(5, 4)),
        of(
            MatrixOps.Linear.class,
            "bias",
            (o, x) -> o.linear(x.get(0), x.get(1), x.get(2)),
            Shape.of(3, 4),
            Shape.of(5, 4),
            Shape.of(5)),
        of(
            MatrixOps.Linear.class,
            "shared weight",
            (o, x) -> o.linear(o.linear(x.get(0), x.get(1), null), x.get(1), null),
            Shape.of(2, 3),
            Shape.of(3, 3)),
        of(
            MatrixOps.Embedding.class,
            "",
            (o, x) -> o.embedding(x.get(0), ids(o, 2, 0, 2, 3)),
            Shape.of(4, 3)),
        of(
            NormOps.RmsNorm.class,
            "",
            (o, x) -> o.rmsNorm(x.get(0), x.get(1), 1e-5),
            Shape.of(3, 6),
            Shape.of(6)),
        of(
            NormOps.LayerNorm.class,
            "",
            (o, x) -> o.layerNorm(x.get(0), x.get(1), null, 1e-5),
            Shape.of(3, 6),
            Shape.of(6)),
        of(
            NormOps.LayerNorm.class,
            "bias",
            (o, x) -> o.layerNorm(x.get(0), x.get(1), x.get(2), 1e-5),
            Shape.of(3, 6),
            Shape.of(6),
            Shape.of(6)),
        of(
            AttentionOps.Rope.class,
            "half",
            (o, x) -> rope(o, x.get(0), half),
            Shape.of(2, 3, 2, 6)),
        of(
            AttentionOps.Rope.class,
            "partial, interleaved",
            (o, x) -> rope(o, x.get(0), partial),
            Shape.of(1, 2, 2, 6)),
        of(
            AttentionOps.Attention.class,
            "grouped",
            (o, x) -> o.attention(x.get(0), x.get(1), x.get(2), grouped),
            Shape.of(2, 3, 4, 5),
            Shape.of(2, 3, 2, 5),
            Shape.of(2, 3, 2, 5)),
        of(
            AttentionOps.Attention.class,
            "within a window",
            (o, x) -> o.attention(x.get(0), x.get(1), x.get(2), near),
            Shape.of(2, 3, 4, 5),
            Shape.of(2, 4, 2, 5),
            Shape.of(2, 4, 2, 5)),
        of(
            AttentionOps.Attention.class,
            "more keys than queries",
            (o, x) -> o.attention(x.get(0), x.get(1), x.get(2), later),
            Shape.of(1, 2, 2, 3),
            Shape.of(1, 5, 1, 3),
            Shape.of(1, 5, 1, 3)),
        of(
            AttentionOps.Attention.class,
            "frozen keys",
            (o, x) -> o.attention(x.get(0), constant(o, Shape.of(1, 5, 1, 3)), x.get(1), later),
            Shape.of(1, 2, 2, 3),
            Shape.of(1, 5, 1, 3)),
        of(
            AttentionOps.ZeroTokenAttention.class,
            "result",
            (o, x) -> zeroToken(o, x, grouped).out(),
            Shape.of(2, 3, 4, 5),
            Shape.of(2, 3, 2, 5),
            Shape.of(2, 3, 2, 5),
            Shape.of(2, 3, 4, 5),
            Shape.of(2 * 5)),
        of(
            AttentionOps.ZeroTokenAttention.class,
            "share",
            (o, x) -> zeroToken(o, x, near).share(),
            Shape.of(2, 3, 4, 5),
            Shape.of(2, 4, 2, 5),
            Shape.of(2, 4, 2, 5),
            Shape.of(2, 3, 4, 5),
            Shape.of(2 * 5)),
        of(
            AttentionOps.ZeroTokenAttention.class,
            "result times share",
            (o, x) -> {
              ZeroTokenAttention z = zeroToken(o, x, later);
              return o.mul(z.out(), o.reshape(z.share(), 1, 2, 2, 1));
            },
            Shape.of(1, 2, 2, 3),
            Shape.of(1, 5, 1, 3),
            Shape.of(1, 5, 1, 3),
            Shape.of(1, 2, 2, 3),
            Shape.of(3)),
        of(LossOps.Softmax.class, "", (o, x) -> o.softmax(x.get(0)), Shape.of(3, 5)),
        of(
            LossOps.CrossEntropy.class,
            "",
            (o, x) -> o.crossEntropy(x.get(0), ids(o, 1, -1, 4)),
            Shape.of(3, 5)),
        of(
            LossOps.Kl.class,
            "",
            (o, x) -> o.kl(x.get(0), constant(o, Shape.of(3, 5))),
            Shape.of(3, 5)),
        of(
            HeadLosses.LinearCrossEntropy.class,
            "in chunks",
            (o, x) -> crossEntropy(o, x.get(0), x.get(1), 2),
            Shape.of(3, 4),
            Shape.of(5, 4)),
        of(
            HeadLosses.LinearCrossEntropy.class,
            "frozen hidden states",
            (o, x) -> crossEntropy(o, constant(o, Shape.of(3, 4)), x.get(0), 3),
            Shape.of(5, 4)),
        of(
            HeadLosses.LinearCrossEntropy.class,
            "frozen head, twice used",
            (o, x) -> {
              Tensor w = constant(o, Shape.of(5, 4));
              Tensor loss = crossEntropy(o, x.get(0), w, 1);
              return o.add(o.mul(loss, loss), crossEntropy(o, square(o, x.get(0)), w, 8));
            },
            Shape.of(3, 4)),
        of(
            HeadLosses.LinearKl.class,
            "two students in chunks",
            (o, x) ->
                kl(
                    o,
                    List.of(new HeadInput(x.get(0), x.get(1)), new HeadInput(x.get(2), x.get(3))),
                    2),
            Shape.of(3, 4),
            Shape.of(5, 4),
            Shape.of(3, 2),
            Shape.of(5, 2)),
        of(
            HeadLosses.LinearKl.class,
            "frozen hidden states and a shared head",
            (o, x) ->
                kl(
                    o,
                    List.of(
                        new HeadInput(constant(o, Shape.of(3, 4)), x.get(0)),
                        new HeadInput(x.get(1), x.get(0))),
                    8),
            Shape.of(5, 4),
            Shape.of(3, 4)),
        of(
            ViewOps.Contiguous.class,
            "",
            (o, x) -> o.contiguous(o.permute(x.get(0), 1, 0)),
            Shape.of(3, 4)),
        of(
            ViewOps.Reshape.class,
            "",
            (o, x) -> square(o, o.reshape(x.get(0), 2, 6)),
            Shape.of(3, 4)),
        of(
            ViewOps.Permute.class,
            "",
            (o, x) -> square(o, o.permute(x.get(0), 2, 0, 1)),
            Shape.of(2, 3, 4)),
        of(
            ViewOps.Slice.class,
            "",
            (o, x) -> square(o, o.slice(o.slice(x.get(0), 1, 1, 2), 0, 1, 2)),
            Shape.of(3, 4)),
        of(
            ViewOps.Slice.class,
            "of a permuted view",
            (o, x) -> square(o, o.slice(o.permute(x.get(0), 1, 0), 0, 1, 2)),
            Shape.of(3, 4)),
        of(
            ViewOps.Broadcast.class,
            "",
            (o, x) -> square(o, o.broadcast(x.get(0), Shape.of(2, 3, 4))),
            Shape.of(3, 1)));
  }

  private static Tensor ids(Ops o, int... values) {
    return Tensor.ids(o.workspace(), Shape.of(values.length), values);
  }

  private static Tensor constant(Ops o, Shape shape) {
    Tensor t = o.empty(DType.F64, shape);
    for (long i = 0; i < shape.count(); i++) {
      t.span().set(i, Math.sin(1.3 * i + 0.4));
    }
    return t;
  }

  private static Tensor crossEntropy(Ops o, Tensor x, Tensor w, int chunk) {
    HeadLosses.LinearCrossEntropy op = new HeadLosses.LinearCrossEntropy(false, chunk);
    return o.headLoss(op, List.of(x, w, ids(o, 1, -1, 4), constant(o, Shape.of(3)))).sum();
  }

  private static Tensor kl(Ops o, List<HeadInput> students, int chunk) {
    List<Tensor> in = new ArrayList<>();
    students.forEach(s -> in.addAll(List.of(s.x(), s.w())));
    in.addAll(
        List.of(
            constant(o, Shape.of(3, 3)), constant(o, Shape.of(5, 3)), constant(o, Shape.of(3))));
    return o.headLoss(new HeadLosses.LinearKl(false, chunk), in).sum();
  }

  private static Tensor square(Ops o, Tensor x) {
    return o.mul(x, x);
  }

  private static ZeroTokenAttention zeroToken(Ops o, List<Tensor> x, AttentionShape sizes) {
    return o.zeroTokenAttention(x.get(0), x.get(1), x.get(2), x.get(3), x.get(4), sizes);
  }

  private static Tensor rope(Ops o, Tensor x, RopeShape sizes) {
    Shape table = Shape.of(sizes.first() + sizes.tokens(), sizes.rotary() / 2);
    Tensor cos = o.empty(DType.F64, table);
    Tensor sin = o.empty(DType.F64, table);
    for (long i = 0; i < table.count(); i++) {
      cos.span().set(i, Math.cos(0.3 + i));
      sin.span().set(i, Math.sin(0.3 + i));
    }
    return o.rope(x, cos, sin, sizes);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientEqualsFiniteDifferences(Case c) {
    try (Device device = Device.cpu(2);
        Workspace workspace = new Workspace();
        NativeArena arena = new NativeArena("test")) {
      Ops ops = new Ops(device, workspace);
      GradCheck.check(ops, x -> c.f().apply(ops, x), parameters(arena, c).toArray(Tensor[]::new));
    }
  }

  private static List<Tensor> parameters(NativeArena arena, Case c) {
    List<Tensor> list = new ArrayList<>();
    for (Shape s : c.shapes()) {
      Tensor t = Tensor.allocate(arena, DType.F64, s);
      Random random = new Random(7, 0).stream(list.size());
      for (long i = 0; i < s.count(); i++) {
        t.span().set(i, random.normal(i));
      }
      list.add(t.asParameter());
    }
    return list;
  }

  @Test
  void everyOpHasACase() {
    Set<String> covered = cases().map(c -> c.op().getSimpleName()).collect(Collectors.toSet());
    assertThat(covered).containsAll(opNames(Op.class));
  }

  private static Set<String> opNames(Class<?> sealed) {
    Set<String> names = new TreeSet<>();
    for (Class<?> c : sealed.getPermittedSubclasses()) {
      if (c == ForeignOp.class) {
        continue; // the modules that have such ops test them
      }
      if (c.isSealed()) {
        names.addAll(opNames(c));
      } else {
        names.add(c.getSimpleName());
      }
    }
    return names;
  }

  @Test
  void aWrongGradientIsFound() {
    try (Device device = Device.cpu(1);
        Workspace workspace = new Workspace();
        NativeArena arena = new NativeArena("test")) {
      Ops ops = new Ops(device, workspace);
      Tensor x = Tensor.allocate(arena, DType.F64, Shape.of(3)).asParameter();
      x.span().set(1, 2);
      // half of the product is hidden from the gradient
      assertThatThrownBy(
              () -> GradCheck.check(ops, p -> ops.mul(p.get(0), ops.stopGradient(p.get(0))), x))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("element 1");
    }
  }
}
