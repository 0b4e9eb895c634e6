package dev.sortie.tensor.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.RopeShape;
import dev.sortie.tensor.memory.Workspace;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Views with gaps are operands as any others. */
class StridedOperandsContractTest {
  private final Device device = Device.cpu(1);
  private final Workspace workspace = new Workspace();
  private final Ops ops = new Ops(device, workspace);

  @AfterEach
  void close() {
    workspace.close();
    device.close();
  }

  /** {@code [2, 3]}: 1 2 3, 4 5 6. */
  private Tensor numbers(DType dtype) {
    Tensor x = Tensor.allocate(workspace, dtype, Shape.of(2, 3));
    for (int i = 0; i < 6; i++) {
      x.span().set(i, i + 1);
    }
    return x;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64", "BF16", "F16", "I32"})
  void aViewIsMadeContiguousInItsOwnType(DType dtype) {
    Tensor y = ops.contiguous(ops.permute(numbers(dtype), 1, 0));
    assertThat(y.dtype()).isEqualTo(dtype);
    assertThat(y.shape()).isEqualTo(Shape.of(3, 2));
    double[] elements = new double[6];
    Arrays.setAll(elements, y.span()::get);
    assertThat(elements).containsExactly(1, 4, 2, 5, 3, 6);
  }

  @Test
  void idsMayBeAView() {
    Tensor table = Tensor.of(workspace, Shape.of(7, 1), 0, 10, 20, 30, 40, 50, 60);
    Tensor columns = ops.slice(numbers(DType.I32), 1, 1, 2);
    assertThat(ops.embedding(table, columns).toFloats()).containsExactly(20, 30, 50, 60);
  }

  @Test
  void weightsAndBiasesMayBeViewsWhetherAnythingIsRecordedOrNot() {
    Tensor x = Tensor.of(workspace, Shape.of(1, 2), 1, 10);
    Tensor w = ops.permute(numbers(DType.F32), 1, 0);
    Tensor bias = ops.broadcast(Tensor.of(workspace, Shape.of(1), 7), Shape.of(3));
    assertThat(linears(x, w, bias)).containsExactly(48, 59, 70);
    assertThat(NoGrad.call(() -> linears(x, w, bias))).containsExactly(48, 59, 70);
  }

  private float[] linears(Tensor x, Tensor w, Tensor bias) {
    return ops.linears(x, List.of(w), List.of(bias)).getFirst().toFloats();
  }

  @Test
  void aViewIsConverted() {
    Tensor y = ops.convert(ops.permute(numbers(DType.BF16), 1, 0), DType.F32);
    assertThat(y.toFloats()).containsExactly(1, 4, 2, 5, 3, 6);
  }

  @Test
  void positionsBeyondIntegersAreNotInATable() {
    Tensor x = Tensor.allocate(workspace, DType.F32, Shape.of(1, 2, 1, 2));
    Tensor table = Tensor.of(workspace, Shape.of(2, 1), 1, 1);
    RopeShape last = new RopeShape(1, 2, 1, 2, 2, Integer.MAX_VALUE, false);
    assertThat(last.angles()).isEqualTo((1L << 31) + 1);
    assertThatThrownBy(() -> ops.rope(x, table, table, last))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("too small for positions up to 2147483649");
  }

  @Test
  void aProductOverNothingIsTheBias() {
    Tensor x = Tensor.allocate(workspace, DType.F32, Shape.of(2, 0));
    Tensor w = Tensor.allocate(workspace, DType.F32, Shape.of(3, 0));
    Tensor bias = Tensor.of(workspace, Shape.of(3), 1, 2, 3);
    assertThat(ops.linear(x, w, bias).toFloats()).containsExactly(1, 2, 3, 1, 2, 3);
  }

  @Test
  void viewsOutsideOfATensorAreRefused() {
    Tensor x = numbers(DType.F32);
    assertThatThrownBy(() -> ops.slice(x, 0, Long.MAX_VALUE, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1 from 9223372036854775807 on of dim 0");
    assertThatThrownBy(() -> ops.slice(x, 0, 1, Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class);
    for (int dim : new int[] {-1, 2}) {
      assertThatThrownBy(() -> ops.permute(x, 0, dim))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is no order of the 2 dims");
    }
  }
}
