package dev.sortie.tensor.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A head with its loss equals head, softmax and loss one after the other, in chunks of any size.
 */
class HeadLossContractTest {
  private static final int ROWS = 40;
  private static final int WIDTH = 24;
  private static final int VOCAB = 70;

  /** Of the largest element: sums of some hundred F32 terms in another order. */
  private static final double TOLERANCE = 1e-5;

  private final Device device = Device.cpu(2);
  private final Workspace workspace = new Workspace();
  private final NativeArena arena = new NativeArena("test");
  private final Ops ops = new Ops(device, workspace);

  private final Tensor x = normal(1, Shape.of(2, ROWS / 2, WIDTH), 1).asParameter();
  private final Tensor w = normal(2, Shape.of(VOCAB, WIDTH), 0.3).asParameter();
  private final Tensor teacherX = normal(3, Shape.of(2, ROWS / 2, WIDTH), 1);
  private final Tensor teacherW = normal(4, Shape.of(VOCAB, WIDTH), 0.3);
  private final Tensor targets = targets();
  private final Tensor weights = normal(5, Shape.of(2, ROWS / 2), 1);

  @AfterEach
  void close() {
    workspace.close();
    arena.close();
    device.close();
  }

  private Tensor normal(int stream, Shape shape, double deviation) {
    Tensor t = Tensor.allocate(arena, DType.F32, shape);
    Random random = new Random(3, 0).stream(stream);
    for (long i = 0; i < shape.count(); i++) {
      t.span().set(i, deviation * random.normal(i));
    }
    return t;
  }

  private Tensor targets() {
    int[] ids = new int[ROWS];
    for (int i = 0; i < ROWS; i++) {
      ids[i] = i % 7 == 3 ? -1 : i * 31 % VOCAB;
    }
    return Tensor.ids(arena, Shape.of(2, ROWS / 2), ids);
  }

  private HeadLoss crossEntropy(boolean confident, int chunk) {
    return ops.headLoss(
        new HeadLosses.LinearCrossEntropy(confident, chunk), List.of(x, w, targets, weights));
  }

  private HeadLoss kl(boolean confident, int chunk) {
    return ops.headLoss(
        new HeadLosses.LinearKl(confident, chunk), List.of(x, w, teacherX, teacherW, weights));
  }

  /** Weights times the largest probability of each row. */
  private Tensor confident(Tensor logits) {
    Tensor p = ops.softmax(logits.detach());
    Tensor result = ops.empty(DType.F32, weights.shape());
    for (int r = 0; r < ROWS; r++) {
      double most = 0;
      for (int c = 0; c < VOCAB; c++) {
        most = Math.max(most, p.span().get((long) r * VOCAB + c));
      }
      result.span().set(r, weights.span().get(r) * most);
    }
    return result;
  }

  private void check(HeadLoss actual, Tensor expectedRows, Tensor logits, boolean confident) {
    Tensor expected = ops.sum(ops.mul(expectedRows, confident ? confident(logits) : weights));
    near(actual.rows(), expectedRows);
    assertThat(actual.sum().span().get(0)).isCloseTo(expected.item(), within(TOLERANCE * ROWS));
    Gradients one = gradients(ops.sum(actual.sum()));
    Gradients other = gradients(expected);
    near(one.of(x), other.of(x));
    near(one.of(w), other.of(w));
  }

  /** A factor in front, for the gradient of the sum is not 1 in general. */
  private Gradients gradients(Tensor loss) {
    Gradients g = new Gradients(arena, device.kernels(), List.of(x, w));
    Backward.run(device.kernels(), workspace, ops.scale(loss, -1.5), g);
    return g;
  }

  private static void near(Tensor actual, Tensor expected) {
    double largest = 0;
    for (long i = 0; i < expected.shape().count(); i++) {
      largest = Math.max(largest, Math.abs(expected.span().get(i)));
    }
    assertThat(largest).isPositive();
    for (long i = 0; i < expected.shape().count(); i++) {
      assertThat(actual.span().get(i))
          .as("element %d", i)
          .isCloseTo(expected.span().get(i), within(TOLERANCE * largest));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 33, 40, 1000})
  void crossEntropyEqualsHeadAndLossApart(int chunk) {
    for (boolean confident : new boolean[] {false, true}) {
      Tensor logits = ops.linear(x, w, null);
      check(crossEntropy(confident, chunk), ops.crossEntropy(logits, targets), logits, confident);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 33, 40, 1000})
  void divergenceEqualsHeadsAndLossApart(int chunk) {
    for (boolean confident : new boolean[] {false, true}) {
      Tensor logits = ops.linear(x, w, null);
      Tensor teacher = ops.linear(teacherX, teacherW, null);
      check(kl(confident, chunk), ops.kl(logits, teacher), logits, confident);
    }
  }

  /** Without gradients nothing but a chunk of logits is held. */
  @Test
  void withoutGradientsTheSumIsTheSameAndNoGradientTakesMemory() {
    double recorded = crossEntropy(false, 16).sum().item();
    long before = workspace.peak();
    try (var _ = workspace.mark()) {
      HeadLoss loss = NoGrad.call(() -> crossEntropy(false, 16));
      assertThat(loss.sum().item()).isEqualTo(recorded);
      assertThat(loss.sum().needsGrad()).isFalse();
    }
    long rows = 2L * 192 + 64; // losses and weights of 40 rows, the sum, in units of 64 bytes
    assertThat(workspace.peak() - before).isLessThanOrEqualTo(rows + 4L * 16 * VOCAB + 4 * 64);
  }

  @Test
  void aStudentGetsTheBitsThatItGetsAlone() {
    Tensor otherX = normal(6, Shape.of(2, ROWS / 2, WIDTH), 1).asParameter();
    HeadInput teacher = new HeadInput(teacherX, teacherW);
    HeadInput one = new HeadInput(x, w);
    HeadLoss alone = ops.linearKl(List.of(one), teacher, weights, true);
    HeadLoss together =
        ops.linearKl(List.of(new HeadInput(otherX, w), one), teacher, weights, true);
    assertThat(together.sum().span().get(1)).isEqualTo(alone.sum().item());
    Gradients a = new Gradients(arena, device.kernels(), List.of(x));
    Gradients b = new Gradients(arena, device.kernels(), List.of(x));
    Backward.run(device.kernels(), workspace, ops.sum(alone.sum()), a);
    Backward.run(device.kernels(), workspace, ops.sum(together.sum()), b);
    assertThat(b.of(x).toFloats()).isEqualTo(a.of(x).toFloats());
  }

  @Test
  void refusesShapesThatDoNotFitNamingBoth() {
    Tensor narrow = normal(7, Shape.of(VOCAB, WIDTH - 1), 1);
    assertThatThrownBy(() -> ops.linearCrossEntropy(x, narrow, targets, weights, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(x.shape().toString())
        .hasMessageContaining(narrow.shape().toString());
    Tensor few = normal(8, Shape.of(2, 3), 1);
    assertThatThrownBy(() -> ops.linearCrossEntropy(x, w, targets, few, false))
        .hasMessageContaining("weights " + few.shape());
    Tensor smaller = normal(9, Shape.of(VOCAB - 1, WIDTH), 1);
    assertThatThrownBy(
            () ->
                ops.linearKl(
                    List.of(new HeadInput(x, w)), new HeadInput(teacherX, smaller), weights, false))
        .hasMessageContaining("differ in V");
  }
}
