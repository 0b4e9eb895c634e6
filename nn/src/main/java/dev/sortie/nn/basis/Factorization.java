package dev.sortie.nn.basis;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.decomposition.TriangularSolver_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.CholeskyDecomposition_F64;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * Matrices {@code W_1 … W_n} of several layers, each {@code [N, K]} and applied as {@code x Wᵀ}, as
 * products {@code W_i ≈ C_i B} of one basis and coefficients: those of rank R that minimise {@code
 * Σ_x |x Wᵀ - x (C B)ᵀ|²} for W the n matrices below each other and x the rows of X, the inputs
 * that the layers read on calibration text.
 *
 * <p>This is Basis Sharing (Wang et al., ICLR 2025, arXiv 2410.03765, section 3), which for n = 1
 * is SVD-LLM (arXiv 2403.07378, truncation-aware data whitening). In the papers' orientation, with
 * matrices {@code [K, N]} side by side: {@code S W = U Σ Vᵀ} with {@code SᵀS = XᵀX} by Cholesky;
 * the basis is {@code S⁻¹ U Σ}, the coefficients are {@code Vᵀ}, both cut to rank R. Here the
 * smaller of the Gram matrices {@code (S W)(S W)ᵀ = U Σ² Uᵀ} and {@code (S W)ᵀ(S W) = Wᵀ XᵀX W = V
 * Σ² Vᵀ} is decomposed, in F64. The second needs no S: the basis {@code S⁻¹ U Σ = S⁻¹ (S W) V} is
 * {@code W V}. Either way the product at full rank is W whatever the precision of the singular
 * values, since U and V are orthogonal to rounding.
 *
 * @param basis B, {@code [R, K]}, vectors by falling singular value
 * @param coefficients C, {@code [n N, R]}, columns of length 1
 * @param lost share of {@code Σ_x |x Wᵀ|²} that is not in the product
 */
record Factorization(DMatrixRMaj basis, DMatrixRMaj coefficients, double lost) {
  private static final double FIRST_DAMPING = 1e-12;

  /**
   * Factors matrices.
   *
   * @param covariance {@code XᵀX}, {@code [K, K]}
   * @param w the matrices below each other, {@code [n N, K]}
   * @param rank R, from 1 to {@code min(K, n N)}
   */
  static Factorization of(DMatrixRMaj covariance, DMatrixRMaj w, int rank) {
    return w.numCols <= w.numRows ? byInputs(covariance, w, rank) : byOutputs(covariance, w, rank);
  }

  /** From {@code (S W)(S W)ᵀ}, {@code [K, K]}. */
  private static Factorization byInputs(DMatrixRMaj covariance, DMatrixRMaj w, int rank) {
    DMatrixRMaj l = cholesky(covariance);
    DMatrixRMaj whitened = CommonOps_DDRM.mult(w, l, null); // (S W)ᵀ, for S is Lᵀ
    Leading u = Leading.of(CommonOps_DDRM.multInner(whitened, null), rank);
    DMatrixRMaj coefficients = CommonOps_DDRM.mult(whitened, u.vectors, null);
    double[] sigma = normalised(coefficients);
    DMatrixRMaj inverse = new DMatrixRMaj(l.numRows, l.numCols);
    TriangularSolver_DDRM.invertLower(l.data, inverse.data, l.numRows);
    DMatrixRMaj basis = CommonOps_DDRM.multTransA(u.vectors, inverse, null);
    CommonOps_DDRM.multRows(sigma, basis);
    return new Factorization(basis, coefficients, u.lost);
  }

  /** From {@code (S W)ᵀ(S W)}, {@code [n N, n N]}. */
  private static Factorization byOutputs(DMatrixRMaj covariance, DMatrixRMaj w, int rank) {
    DMatrixRMaj half = CommonOps_DDRM.mult(w, covariance, null);
    Leading v = Leading.of(CommonOps_DDRM.multTransB(half, w, null), rank);
    return new Factorization(CommonOps_DDRM.multTransA(v.vectors, w, null), v.vectors, v.lost);
  }

  /**
   * L with {@code L Lᵀ = XᵀX}. Text that does not reach all directions of the inputs leaves XᵀX
   * singular; then a little of the identity is added until it is not.
   */
  private static DMatrixRMaj cholesky(DMatrixRMaj covariance) {
    double mean = CommonOps_DDRM.trace(covariance) / covariance.numRows;
    if (!Double.isFinite(mean)) {
      throw new ArithmeticException(
          "the model's activations are not finite on the calibration text");
    }
    if (mean == 0) {
      return CommonOps_DDRM.identity(covariance.numRows); // inputs that are always 0
    }
    for (double damping = 0; ; damping = damping == 0 ? FIRST_DAMPING : 10 * damping) {
      DMatrixRMaj damped = covariance.copy();
      for (int i = 0; i < damped.numRows; i++) {
        damped.add(i, i, damping * mean);
      }
      CholeskyDecomposition_F64<DMatrixRMaj> chol =
          DecompositionFactory_DDRM.chol(damped.numRows, true);
      if (chol.decompose(damped)) {
        return chol.getT(null);
      }
    }
  }

  /** Scales columns to length 1, but for columns of zeros; returns their lengths. */
  private static double[] normalised(DMatrixRMaj m) {
    double[] lengths = new double[m.numCols];
    for (int i = 0; i < m.data.length; i++) {
      lengths[i % m.numCols] += m.data[i] * m.data[i];
    }
    for (int j = 0; j < lengths.length; j++) {
      lengths[j] = Math.sqrt(lengths[j]);
    }
    for (int i = 0; i < m.data.length; i++) {
      double length = lengths[i % m.numCols];
      m.data[i] = length == 0 ? 0 : m.data[i] / length;
    }
    return lengths;
  }

  /**
   * The eigenvectors of the largest eigenvalues of a symmetric matrix, as columns.
   *
   * @param vectors {@code [n, R]}
   * @param lost share of the sum of eigenvalues that belongs to the others
   */
  private record Leading(DMatrixRMaj vectors, double lost) {
    static Leading of(DMatrixRMaj gram, int rank) {
      int n = gram.numRows;
      EigenDecomposition_F64<DMatrixRMaj> eig = DecompositionFactory_DDRM.eig(n, true, true);
      if (!eig.decompose(gram)) {
        throw new ArithmeticException("the eigenvalues of a Gram matrix did not converge");
      }
      List<Integer> order =
          IntStream.range(0, n)
              .boxed()
              .sorted(Comparator.comparingDouble(i -> -eig.getEigenvalue(i).real))
              .toList();
      DMatrixRMaj vectors = new DMatrixRMaj(n, rank);
      double sum = 0;
      double kept = 0;
      for (int j = 0; j < n; j++) {
        double value = Math.max(0, eig.getEigenvalue(order.get(j)).real);
        sum += value;
        if (j < rank) {
          kept += value;
          CommonOps_DDRM.insert(eig.getEigenVector(order.get(j)), vectors, 0, j);
        }
      }
      return new Leading(vectors, sum == 0 ? 0 : Math.max(0, 1 - kept / sum));
    }
  }
}
