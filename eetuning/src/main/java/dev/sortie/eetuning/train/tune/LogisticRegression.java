package dev.sortie.eetuning.train.tune;

import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * A logistic regression.
 *
 * @param weight one factor an input
 * @param bias added
 */
record LogisticRegression(float[] weight, float bias) {
  private static final Schedule SCHEDULE = new Schedule(0.02, 0.002, 0, 300, Schedule.Decay.COSINE);

  /**
   * Decay shrinks the weights: hidden states have hundreds of elements, and of one window they are
   * alike.
   */
  private static final AdamW.Options OPTIONS = new AdamW.Options(0.9, 0.95, 1e-8, 0.2, 1e9);

  /** The log-odds of yes. */
  double score(float[] x) {
    double z = bias;
    for (int i = 0; i < x.length; i++) {
      z += (double) weight[i] * x[i];
    }
    return z;
  }

  /**
   * Fits one by {@link AdamW} over all rows at once: a softmax over no and yes, whose difference is
   * the regression.
   *
   * @param inputs all of one length
   * @param answers one an input
   */
  static LogisticRegression fit(List<float[]> inputs, List<Boolean> answers, Device device) {
    int width = inputs.getFirst().length;
    try (NativeArena arena = new NativeArena("regression");
        Workspace workspace = new Workspace()) {
      Tensor x = matrix(inputs, width, arena);
      int[] classes = answers.stream().mapToInt(yes -> yes ? 1 : 0).toArray();
      Tensor targets = Tensor.ids(arena, Shape.of(classes.length), classes);
      SequencedMap<String, Tensor> parameters = new LinkedHashMap<>();
      parameters.put("weight", zero(arena, device, Shape.of(2, width)));
      parameters.put("bias", zero(arena, device, Shape.of(2)));
      Tensor weight = parameters.get("weight");
      Tensor bias = parameters.get("bias");
      Gradients gradients = new Gradients(arena, device.kernels(), parameters.values());
      AdamW optimizer = new AdamW(OPTIONS, arena, device.kernels(), parameters);
      Ops ops = new Ops(device, workspace);
      for (int step = 0; step < SCHEDULE.steps(); step++) {
        gradients.zero();
        try (var _ = workspace.mark()) {
          Tensor loss = ops.mean(ops.crossEntropy(ops.linear(x, weight, bias), targets));
          Backward.run(device.kernels(), workspace, loss, gradients);
        }
        optimizer.step(device.kernels(), gradients, step + 1, SCHEDULE.at(step));
      }
      float[] w = weight.toFloats();
      float[] difference = new float[width];
      for (int i = 0; i < width; i++) {
        difference[i] = w[width + i] - w[i];
      }
      float[] b = bias.toFloats();
      return new LogisticRegression(difference, b[1] - b[0]);
    }
  }

  private static Tensor matrix(List<float[]> rows, int width, NativeArena arena) {
    Tensor x = Tensor.allocate(arena, DType.F32, Shape.of(rows.size(), width));
    for (int i = 0; i < rows.size(); i++) {
      MemorySegment to = x.span().slice((long) i * width, width).segment();
      to.copyFrom(MemorySegment.ofArray(rows.get(i)));
    }
    return x;
  }

  private static Tensor zero(NativeArena arena, Device device, Shape shape) {
    Tensor t = Tensor.allocate(arena, DType.F32, shape);
    device.kernels().fill(t.span(), 0);
    return t.asParameter();
  }
}
