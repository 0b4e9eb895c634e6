package dev.sortie.nn.basis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.Random;
import org.ejml.data.DMatrixRMaj;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products of basis and coefficients against sums written out. */
@Tag("any-kernels")
class FactorizationContractTest {
  private static final int ROWS = 40;

  private static DMatrixRMaj random(String name, int rows, int columns) {
    Random stream = new Random(5, 0).stream(name);
    DMatrixRMaj m = new DMatrixRMaj(rows, columns);
    for (int i = 0; i < m.data.length; i++) {
      m.data[i] = stream.normal(i);
    }
    return m;
  }

  /** Inputs whose elements have lengths from 1 to 100. */
  private static DMatrixRMaj inputs(int rows, int width) {
    DMatrixRMaj x = random("x", rows, width);
    for (int i = 0; i < x.data.length; i++) {
      x.data[i] *= Math.pow(100, (double) (i % width) / width);
    }
    return x;
  }

  /** a b, or a bᵀ. */
  private static DMatrixRMaj product(DMatrixRMaj a, DMatrixRMaj b, boolean transposed) {
    int columns = transposed ? b.numRows : b.numCols;
    DMatrixRMaj c = new DMatrixRMaj(a.numRows, columns);
    for (int i = 0; i < a.numRows; i++) {
      for (int j = 0; j < columns; j++) {
        double sum = 0;
        for (int k = 0; k < a.numCols; k++) {
          sum += a.get(i, k) * (transposed ? b.get(j, k) : b.get(k, j));
        }
        c.set(i, j, sum);
      }
    }
    return c;
  }

  private static DMatrixRMaj covariance(DMatrixRMaj x) {
    DMatrixRMaj c = new DMatrixRMaj(x.numCols, x.numCols);
    for (int r = 0; r < x.numRows; r++) {
      for (int i = 0; i < x.numCols; i++) {
        for (int j = 0; j < x.numCols; j++) {
          c.add(i, j, x.get(r, i) * x.get(r, j));
        }
      }
    }
    return c;
  }

  private static double squares(DMatrixRMaj m) {
    double sum = 0;
    for (double v : m.data) {
      sum += v * v;
    }
    return sum;
  }

  /** Share of the outputs on x that a factorization does not give. */
  private static double error(DMatrixRMaj x, DMatrixRMaj w, Factorization f) {
    DMatrixRMaj difference = product(f.coefficients(), f.basis(), false);
    for (int i = 0; i < w.data.length; i++) {
      difference.data[i] -= w.data[i];
    }
    return squares(product(x, difference, true)) / squares(product(x, w, true));
  }

  /** More outputs than inputs, and fewer: each Gram matrix. */
  @ParameterizedTest
  @CsvSource({"12,30", "30,12", "16,16"})
  void atFullRankTheProductIsTheMatrix(int inputs, int outputs) {
    DMatrixRMaj w = random("w", outputs, inputs);
    DMatrixRMaj c = covariance(inputs(ROWS, inputs));
    Factorization f = Factorization.of(c, w, Math.min(inputs, outputs));
    assertThat(product(f.coefficients(), f.basis(), false).data)
        .containsExactly(w.data, within(1e-10));
    assertThat(f.lost()).isCloseTo(0, within(1e-12));
  }

  @Test
  void inputsThatTheTextDoesNotReachLoseNothingAtFullRank() {
    DMatrixRMaj w = random("w", 30, 12);
    DMatrixRMaj few = covariance(inputs(5, 12)); // rank 5 of 12
    Factorization f = Factorization.of(few, w, 12);
    assertThat(product(f.coefficients(), f.basis(), false).data)
        .containsExactly(w.data, within(1e-6));
    Factorization zero = Factorization.of(new DMatrixRMaj(12, 12), w, 12);
    assertThat(product(zero.coefficients(), zero.basis(), false).data)
        .containsExactly(w.data, within(1e-10));
  }

  /**
   * {@code lost} is what is lost, and neither the factors of other inputs nor a nudge lose less.
   */
  @ParameterizedTest
  @CsvSource({"12,30,5", "30,12,5", "16,16,1"})
  void noOtherFactorsOfTheRankLoseLess(int inputs, int outputs, int rank) {
    DMatrixRMaj w = random("w", outputs, inputs);
    DMatrixRMaj x = inputs(ROWS, inputs);
    Factorization f = Factorization.of(covariance(x), w, rank);
    double least = error(x, w, f);
    assertThat(f.lost()).isCloseTo(least, within(1e-9));
    assertThat(least).isGreaterThan(1e-4);
    Factorization plain = Factorization.of(covariance(random("other", ROWS, inputs)), w, rank);
    assertThat(error(x, w, plain)).isGreaterThan(1.05 * least);
    for (DMatrixRMaj factor : new DMatrixRMaj[] {f.basis(), f.coefficients()}) {
      for (double nudge : new double[] {0.01, -0.01}) {
        double before = factor.data[3];
        factor.data[3] += nudge;
        assertThat(error(x, w, f)).isGreaterThan(least);
        factor.data[3] = before;
      }
    }
  }

  /** Three layers whose matrices have one basis of rank 6. */
  @Test
  void aBasisThatLayersShareIsFound() {
    DMatrixRMaj w = product(random("c", 3 * 10, 6), random("b", 6, 20), false);
    DMatrixRMaj c = covariance(inputs(ROWS, 20));
    Factorization f = Factorization.of(c, w, 6);
    assertThat(product(f.coefficients(), f.basis(), false).data)
        .containsExactly(w.data, within(1e-9));
    assertThat(f.lost()).isCloseTo(0, within(1e-12));
    assertThat(Factorization.of(c, w, 5).lost()).isGreaterThan(1e-4);
  }

  @Test
  void activationsThatAreNotFiniteAreRefused() {
    DMatrixRMaj c = covariance(inputs(ROWS, 12));
    c.set(3, 3, Double.NaN);
    assertThatThrownBy(() -> Factorization.of(c, random("w", 30, 12), 4))
        .hasMessageContaining("not finite");
  }
}
