package dev.sortie.eetuning.train.loop;

import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * A job whose losses depend on all steps before, so that a resume that forgets anything shows. Its
 * weights follow a recurrence; nothing else is state.
 */
final class CountingJob implements TrainingJob {
  final Tensor weights;
  final Tensor moments;
  int nanAt = -1;
  int nanWeightAt = -1;
  boolean validatesToNan;
  int failAt = -1;
  String data = "a";

  /** More of what decides the result. */
  Map<String, Object> more = Map.of();

  boolean validates = true;

  CountingJob(NativeArena arena) {
    weights = Tensor.allocate(arena, DType.F32, Shape.of(3));
    moments = Tensor.allocate(arena, DType.F32, Shape.of(2));
  }

  List<Double> values() {
    return List.of(weights.span().get(0), weights.span().get(1), moments.span().get(1));
  }

  @Override
  public Map<String, Object> fingerprint() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("data", data);
    fields.put("lr", 0.5);
    fields.put("depths", List.of(2, 4));
    fields.putAll(more);
    return fields;
  }

  @Override
  public SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> state = new LinkedHashMap<>();
    state.put("weights", weights);
    state.put("optimizer.moments", moments);
    return state;
  }

  @Override
  public SequencedMap<String, ShardedTensor> trained() {
    SequencedMap<String, ShardedTensor> trained = new LinkedHashMap<>();
    trained.put("weights", ShardedTensor.all(weights));
    return trained;
  }

  @Override
  public Map<String, Double> gradientNorms() {
    return Map.of("all", moments.span().get(1));
  }

  @Override
  public List<String> lossNames() {
    return List.of("2", "4");
  }

  @Override
  public Supplier<Map<String, Double>> begin(int step) {
    if (step == failAt) {
      throw new IllegalStateException("killed");
    }
    double w = weights.span().get(0);
    double m = 0.9 * moments.span().get(1) + 0.1 * (w - step);
    moments.span().set(1, m);
    weights.span().set(0, w - 0.3 * m + 0.1);
    weights.span().set(1, w / 3);
    weights.span().set(2, step == nanWeightAt ? Double.NaN : 0);
    double loss = step == nanAt ? Double.NaN : Math.sin(w) / 3;
    return () -> Map.of("2", Math.cos(m) / 7, "4", loss);
  }

  @Override
  public Map<String, Double> validate() {
    double moment = validatesToNan ? Double.NaN : moments.span().get(1);
    return validates ? Map.of("2", weights.span().get(0), "4", moment) : Map.of();
  }

  @Override
  public long tokensPerStep() {
    return 64;
  }
}
