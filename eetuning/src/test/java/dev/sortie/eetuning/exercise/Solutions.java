package dev.sortie.eetuning.exercise;

import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;

/** Solutions that pass: the engine's own parts, and the textbook's algorithms. */
final class Solutions {
  private Solutions() {}

  /** The engine's kernel. */
  static final class Gradient implements SoftmaxGradient {
    @Override
    public double[] backward(double[] y, double[] dy) {
      try (Device device = Device.cpu(1);
          NativeArena arena = new NativeArena("solution")) {
        Tensor dx = tensor(arena, new double[y.length]);
        device
            .kernels()
            .softmaxBackward(
                tensor(arena, y).span(), tensor(arena, dy).span(), dx.span(), 1, y.length);
        double[] result = new double[y.length];
        for (int i = 0; i < result.length; i++) {
          result[i] = dx.span().get(i);
        }
        return result;
      }
    }

    private static Tensor tensor(NativeArena arena, double[] values) {
      Tensor t = Tensor.allocate(arena, DType.F64, Shape.of(1, values.length));
      for (int i = 0; i < values.length; i++) {
        t.span().set(i, values[i]);
      }
      return t;
    }
  }

  /** Reduce-scatter, then all-gather, around a ring. */
  static final class Ring implements AllReduce {
    @Override
    public void sum(Messages messages, float[] data) {
      int ranks = messages.ranks();
      int next = (messages.rank() + 1) % ranks;
      int before = (messages.rank() + ranks - 1) % ranks;
      for (int step = 0; step < 2 * (ranks - 1); step++) {
        int sent = Math.floorMod(messages.rank() - step, ranks);
        int taken = Math.floorMod(sent - 1, ranks);
        messages.send(part(data, sent, ranks), next);
        float[] in = part(data, taken, ranks);
        float[] own = in.clone();
        messages.receive(in, before);
        boolean adds = step < ranks - 1;
        for (int i = 0; i < in.length; i++) {
          data[start(data, taken, ranks) + i] = adds ? own[i] + in[i] : in[i];
        }
      }
    }

    private static int start(float[] data, int part, int parts) {
      return (int) ((long) data.length * part / parts);
    }

    private static float[] part(float[] data, int part, int parts) {
      return java.util.Arrays.copyOfRange(
          data, start(data, part, parts), start(data, part + 1, parts));
    }
  }

  /** The engine's rule. */
  static final class Rule implements ExitRule {
    @Override
    public double confidence(double[] largest) {
      return largest[0];
    }

    @Override
    public boolean exits(double confidence, double threshold) {
      return leaves(confidence, threshold);
    }

    static boolean leaves(double confidence, double threshold) {
      return new MaxProbability(threshold).exits(ExitRuleChecks.DEPTH, confidence);
    }
  }
}
