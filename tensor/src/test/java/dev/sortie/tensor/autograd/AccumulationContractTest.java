package dev.sortie.tensor.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Backward passes add up until the gradients are set to zero, and reuse their own memory. */
class AccumulationContractTest {
  private final Device device = Device.cpu(1);
  private final Workspace workspace = new Workspace();
  private final NativeArena arena = new NativeArena("test");
  private final Ops ops = new Ops(device, workspace);
  private final Tensor x = Tensor.of(arena, Shape.of(3), 1, -2, 3).asParameter();
  private final Tensor unused = Tensor.of(arena, Shape.of(2), 1, 1).asParameter();
  private final Gradients gradients = new Gradients(arena, device.kernels(), List.of(x, unused));

  @AfterEach
  void close() {
    workspace.close();
    arena.close();
    device.close();
  }

  /** Adds {@code 2 x} to the gradient. */
  private void run() {
    Backward.run(device.kernels(), workspace, ops.sum(ops.mul(x, x)), gradients);
  }

  @Test
  void passesAddUpUntilZero() {
    run();
    assertThat(gradients.of(x).toFloats()).containsExactly(2, -4, 6);
    run();
    assertThat(gradients.of(x).toFloats()).containsExactly(4, -8, 12);
    gradients.zero();
    run();
    assertThat(gradients.of(x).toFloats()).containsExactly(2, -4, 6);
  }

  @Test
  void whatNoPassTouchedIsZero() {
    run();
    assertThat(gradients.of(unused).toFloats()).containsExactly(0, 0);
    gradients.of(unused).span().set(0, 7);
    gradients.zero();
    assertThat(gradients.of(unused).toFloats()).containsExactly(0, 0);
    assertThat(gradients.of(x).toFloats()).containsExactly(0, 0, 0);
  }

  /** Both sides of a sum get its gradient, and what is done to one does not reach the other. */
  @Test
  void sidesOfASumDoNotShareTheirGradient() {
    Tensor a = ops.scale(x, 2);
    Tensor y = ops.add(a, ops.add(a, ops.reshape(a, 3)));
    Backward.run(device.kernels(), workspace, ops.sum(ops.mul(y, y)), gradients);
    // y = 6 x
    assertThat(gradients.of(x).toFloats()).containsExactly(72, -144, 216);
  }

  /** A chain that is cut in two gives the gradients of the whole. */
  @Test
  void piecesOfAChainPassTheirGradientsOn() {
    Tensor y = ops.mul(x, x);
    Tensor cut = y.asParameter();
    Tensor z = ops.mul(cut, cut);
    Gradients between = new Gradients(workspace, device.kernels(), List.of(cut));
    Backward.run(device.kernels(), workspace, ops.sum(z), between);
    Tensor aside = ops.sum(ops.mul(y, x));
    List<Backward.Seed> seeds =
        List.of(Backward.Seed.of(workspace, aside, 0.5), new Backward.Seed(y, between.of(cut)));
    Backward.run(device.kernels(), workspace, seeds, gradients);
    // x^4 + x^3 / 2
    assertThat(gradients.of(x).toFloats()).containsExactly(5.5f, -26, 121.5f);
  }

  @Test
  void aSeedThatDoesNotFitIsRefused() {
    Tensor y = ops.mul(x, x);
    assertThatThrownBy(() -> new Backward.Seed(y, unused))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is no gradient of");
    assertThatThrownBy(() -> new Backward.Seed(x, y))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("depends on no parameter");
    Backward.Seed seed = new Backward.Seed(y, Tensor.allocate(workspace, y.dtype(), y.shape()));
    assertThatThrownBy(
            () -> Backward.run(device.kernels(), workspace, List.of(seed, seed), gradients))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("two seeds");
  }

  @Test
  void aDeepGraphKeepsFewGradientsAtATime() {
    long size = 1 << 18;
    Tensor wide = Tensor.allocate(arena, DType.F32, Shape.of(size)).asParameter();
    Gradients one = new Gradients(arena, device.kernels(), List.of(wide));
    Tensor y = wide;
    for (int i = 0; i < 20; i++) {
      y = ops.scale(y, 1);
    }
    Tensor loss = ops.sum(y);
    long before = workspace.peak();
    Backward.run(device.kernels(), workspace, loss, one);
    assertThat(workspace.peak() - before).isLessThan(3 * 4 * size);
    assertThat(one.of(wide).get(5)).isEqualTo(1);
  }
}
