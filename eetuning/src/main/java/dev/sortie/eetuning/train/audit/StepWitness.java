package dev.sortie.eetuning.train.audit;

import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.eetuning.train.checkpoint.Fingerprint;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.rank.GatheredNames;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.file.Sha256;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Finds out what the steps of a job have done, the same on all ranks. */
public final class StepWitness {
  private final TrainingJob job;
  private final TokenSource data;
  private final int sequences;
  private final Kernels kernels;
  private final ProcessGroups groups;
  private final TensorLeaves leaves;
  private final List<String> norms;

  /**
   * A collective call.
   *
   * @param data that the job trains on
   * @param sequences in a step, of all ranks
   */
  public StepWitness(
      TrainingJob job, TokenSource data, int sequences, Kernels kernels, ProcessGroups groups) {
    this.job = job;
    this.data = data;
    this.sequences = sequences;
    this.kernels = kernels;
    this.groups = groups;
    this.leaves = new TensorLeaves(groups, job.trained().keySet());
    this.norms = GatheredNames.of(groups, answeredNorms().keySet());
  }

  /** Of replicas, and of ranks that share weights, the first one answers. */
  private Map<String, Double> answeredNorms() {
    boolean first = groups.coordinates().dp() == 0 && groups.coordinates().tp() == 0;
    return first ? job.gradientNorms() : Map.of();
  }

  /** The ranks. */
  public ProcessGroups groups() {
    return groups;
  }

  Kernels kernels() {
    return kernels;
  }

  TrainingJob job() {
    return job;
  }

  /** What decides the result. */
  Map<String, Object> settings() {
    return Fingerprint.withoutHeldOut(job.fingerprint());
  }

  /**
   * What the run is, with the leaves of its tensors as they are now. A collective call.
   *
   * @param options as {@link AuditHeader} has them
   */
  AuditHeader header(String command, Map<String, List<String>> options) {
    return new AuditHeader(
        command, options, settings(), kernels.name(), leaves.names(), leaves.of(job.trained()));
  }

  /**
   * Hash of the token ids of a step, as little-endian I32: sequence after sequence in the order of
   * the stream, each with the token that its last one predicts.
   *
   * @param step counted from 1
   */
  String data(int step) {
    Sha256 sha = new Sha256();
    for (int[] window : data.windows(position(step), sequences)) {
      ByteBuffer bytes = ByteBuffer.allocate(window.length * Integer.BYTES);
      bytes.order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(window);
      sha.update(bytes.array());
    }
    return sha.hex();
  }

  private long position(int step) {
    return (step - 1L) * sequences;
  }

  /**
   * Looks at a step that was computed, before the next one begins. A collective call.
   *
   * @param step counted from 1
   * @return makes its evidence once the losses are known
   */
  Function<Map<String, Double>, StepEvidence> computed(int step) {
    List<String> after = leaves.of(job.trained());
    Map<String, Object> gradientNorms = mergedNorms();
    return losses ->
        new StepEvidence(step, data(step), position(step), numbers(losses), gradientNorms, after);
  }

  private Map<String, Object> mergedNorms() {
    Map<String, Double> mine = answeredNorms();
    double[] all =
        groups.merge(norms.stream().mapToDouble(n -> mine.getOrDefault(n, 0.0)).toArray());
    Map<String, Double> merged = new LinkedHashMap<>();
    for (int i = 0; i < all.length; i++) {
      merged.put(norms.get(i), all[i]);
    }
    return numbers(merged);
  }

  private static Map<String, Object> numbers(Map<String, Double> values) {
    Map<String, Object> numbers = new LinkedHashMap<>();
    values.forEach((name, value) -> numbers.put(name, StepEvidence.number(value)));
    return numbers;
  }

  /** A leaf for each tensor of the state, the optimiser's too. A collective call. */
  Map<String, String> state() {
    Map<String, String> all = new LinkedHashMap<>();
    TensorLeaves tensors = new TensorLeaves(groups, job.parts().keySet());
    List<String> hashes = tensors.of(job.parts());
    for (int i = 0; i < hashes.size(); i++) {
      all.put(tensors.names().get(i), hashes.get(i));
    }
    return all;
  }
}
