package dev.sortie.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Workspace;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which elements dropout leaves, and what it makes of them. */
@Tag("any-kernels")
class DropoutContractTest {
  private static final int ROWS = 40;

  /** No multiple of the elements that share random bits. */
  private static final int WIDTH = 51;

  private final Device device = Device.cpu(1);
  private final Workspace workspace = new Workspace();
  private final Ops ops = new Ops(device, workspace);

  @AfterEach
  void close() {
    workspace.close();
    device.close();
  }

  /** What it makes of rows of ones. */
  private float[] factors(Dropout dropout, long firstRow, int rows) {
    float[] ones = new float[rows * WIDTH];
    Arrays.fill(ones, 1);
    Tensor x = Tensor.of(workspace, Shape.of(1, rows, WIDTH), ones);
    Tensor y = dropout.from(firstRow).apply(ops, x);
    float[] factors = new float[ones.length];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) y.span().get(i);
    }
    return factors;
  }

  private static float[] joined(float[] a, float[] b) {
    float[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.0625, 0.1, 0.5, 0.9})
  void aShareIsZeroAndTheRestIsScaledUp(double p) {
    float[] factors = factors(Dropout.of(3, p), 0, 10 * ROWS);
    double n = factors.length;
    double scale = 1 / (1 - p);
    double zeros = IntStream.range(0, factors.length).filter(i -> factors[i] == 0).count();
    // four standard deviations of a binomial share
    assertThat(zeros / n).isCloseTo(p, within(4 * Math.sqrt(p * (1 - p) / n)));
    for (float f : factors) {
      if (f != 0) {
        // p is rounded to a multiple of 2^-16
        assertThat((double) f).isCloseTo(scale, within(scale * scale * 0x1p-17 + 1e-6));
      }
    }
  }

  /** However rows are cut: among sequences, micro-batches or ranks. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 20, 39})
  void anElementsFateFollowsFromItsPlaceInTheRunAlone(int cut) {
    Dropout dropout = Dropout.of(3, 0.3).at("layers.2").at("mlp");
    long first = 1L << 33; // of a long run
    assertThat(joined(factors(dropout, first, cut), factors(dropout, first + cut, ROWS - cut)))
        .isEqualTo(factors(dropout, first, ROWS));
  }

  @Test
  void otherRowsPlacesAndSeedsDropOtherElements() {
    Dropout dropout = Dropout.of(3, 0.5);
    float[] some = factors(dropout.at("layers.2"), 0, ROWS);
    assertThat(factors(dropout.at("layers.2"), ROWS, ROWS)).isNotEqualTo(some);
    assertThat(factors(dropout.at("layers.3"), 0, ROWS)).isNotEqualTo(some);
    assertThat(factors(Dropout.of(4, 0.5).at("layers.2"), 0, ROWS)).isNotEqualTo(some);
  }

  @Test
  void noneChangesNothing() {
    Tensor x = Tensor.of(workspace, Shape.of(1, 2), 1, 2);
    assertThat(Dropout.of(3, 0).at("mlp").apply(ops, x)).isSameAs(x);
    assertThat(Dropout.NONE.apply(ops, x)).isSameAs(x);
  }
}
