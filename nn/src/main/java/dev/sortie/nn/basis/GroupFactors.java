package dev.sortie.nn.basis;

import dev.sortie.nn.FactoredLinear;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.model.SharedBases.Group;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.ejml.data.DMatrixRMaj;

/**
 * The bases and coefficients of a decoder's projections, made group by group from the first layer
 * on, as {@link BasisCalibration} reaches them. The factors of a group last until those of the
 * next.
 */
public final class GroupFactors implements AutoCloseable {
  /**
   * What a kind of projection loses.
   *
   * @param lost share of the sum of squares of its outputs on the calibration text that its factors
   *     do not give, the mean over groups
   */
  public record Loss(String projection, double lost) {}

  private final BasisCalibration calibration;
  private final SharedBases bases;
  private final int layers;
  private final int step;
  private final Map<String, Tensor> current = new HashMap<>();
  private final SequencedMap<String, List<Double>> lost = new LinkedHashMap<>();
  private NativeArena arena = new NativeArena("factors of a group");
  private int done;

  /**
   * Nothing is computed yet.
   *
   * @param bases what is shared; all groups of more than one layer have the same number of layers
   */
  public GroupFactors(BasisCalibration calibration, SharedBases bases) {
    this.calibration = calibration;
    this.bases = bases;
    this.layers = calibration.config().layers();
    this.step =
        bases.projections().values().stream()
            .mapToInt(SharedBases.Shared::layers)
            .max()
            .orElseThrow();
    bases.projections().keySet().forEach(name -> lost.put(name, new ArrayList<>()));
  }

  /**
   * A basis or the coefficients of a layer, in F32.
   *
   * @param name as the decoder has it; groups are asked for in order
   */
  public Span get(String name) {
    while (!current.containsKey(name)) {
      if (done == layers) {
        throw new IllegalArgumentException(name + " is no factor, or of an earlier group");
      }
      next();
    }
    return current.get(name).span();
  }

  /** What was lost so far. */
  public List<Loss> losses() {
    return lost.entrySet().stream()
        .map(
            e ->
                new Loss(
                    e.getKey(),
                    e.getValue().stream().mapToDouble(Double::doubleValue).average().orElse(0)))
        .toList();
  }

  /** One product that is looked for. */
  private record Job(String projection, Group group, DMatrixRMaj covariance, DMatrixRMaj w) {}

  private void next() {
    int from = done;
    int to = Math.min(from + step, layers);
    Map<Integer, Map<String, Covariance>> seen = new TreeMap<>();
    for (int i = from; i < to; i++) {
      seen.put(i, calibration.next());
    }
    List<Job> jobs = new ArrayList<>();
    for (String projection : bases.projections().keySet()) {
      for (int i = from; i < to; ) {
        Group group = bases.group(projection, i, layers);
        jobs.add(job(projection, group, seen));
        i = group.to();
      }
    }
    // each alone, so that the number of threads does not show in the results
    List<Factorization> results =
        jobs.parallelStream()
            .map(
                j ->
                    Factorization.of(
                        j.covariance,
                        j.w,
                        bases.rank(
                            j.projection, j.group, j.w.numCols, j.w.numRows / j.group.size())))
            .toList();
    current.clear();
    arena.close();
    arena = new NativeArena("factors of a group");
    for (int i = 0; i < jobs.size(); i++) {
      keep(jobs.get(i), results.get(i));
    }
    done = to;
  }

  private Job job(String projection, Group group, Map<Integer, Map<String, Covariance>> seen) {
    Covariance first = seen.get(group.from()).get(weight(group.from(), projection));
    Covariance sum = first;
    if (group.size() > 1) {
      sum = new Covariance(first.inputs());
      for (int i = group.from(); i < group.to(); i++) {
        sum.add(seen.get(i).get(weight(i, projection)));
      }
    }
    Shape shape = calibration.weight(weight(group.from(), projection)).shape();
    int outputs = shape.size(0);
    DMatrixRMaj w = new DMatrixRMaj(outputs * group.size(), shape.size(1));
    try (NativeArena scratch = new NativeArena("matrix that is factored")) {
      Span copy = scratch.allocate(DType.F32, shape.count()).span();
      for (int i = 0; i < group.size(); i++) {
        Tensor stored = calibration.weight(weight(group.from() + i, projection));
        calibration.device().kernels().copy(stored.span(), copy);
        int at = Math.toIntExact(i * shape.count());
        for (int e = 0; e < shape.count(); e++) {
          w.data[at + e] = copy.get(e);
        }
      }
    }
    return new Job(projection, group, sum.sum(), w);
  }

  private void keep(Job job, Factorization f) {
    lost.get(job.projection).add(f.lost());
    current.put(
        SharedBases.basis(job.projection, job.group), tensor(f.basis(), 0, f.basis().numRows));
    int outputs = job.w.numRows / job.group.size();
    for (int i = 0; i < job.group.size(); i++) {
      current.put(
          layer(job.group.from() + i, job.projection) + FactoredLinear.COEFFICIENTS,
          tensor(f.coefficients(), i * outputs, outputs));
    }
  }

  private Tensor tensor(DMatrixRMaj m, int row, int rows) {
    Tensor t = Tensor.allocate(arena, DType.F32, Shape.of(rows, m.numCols));
    for (int i = 0; i < rows * m.numCols; i++) {
      t.span().set(i, m.data[row * m.numCols + i]);
    }
    return t;
  }

  private static String layer(int layer, String projection) {
    return "model.layers." + layer + "." + projection;
  }

  private static String weight(int layer, String projection) {
    return layer(layer, projection) + ".weight";
  }

  @Override
  public void close() {
    arena.close();
  }
}
