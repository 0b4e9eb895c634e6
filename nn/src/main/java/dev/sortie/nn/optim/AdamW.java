package dev.sortie.nn.optim;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/**
 * AdamW (arXiv 1711.05101) with F32 moments over named parameters, and clipping by their global
 * norm. Decay is decoupled and falls on matrices only: norms and biases (one dim) are left alone,
 * as is usual.
 */
public final class AdamW {
  private static final String FIRST = "first_moment.";
  private static final String SECOND = "second_moment.";

  private final Options options;
  private final SequencedMap<String, Tensor> parameters;
  private final SequencedMap<String, Tensor> state = new LinkedHashMap<>();

  /**
   * Settings of the optimiser.
   *
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param epsilon added to the root of the second moment
   * @param weightDecay decoupled decay
   * @param clip largest global gradient norm; gradients beyond it are scaled down
   */
  public record Options(
      double beta1, double beta2, double epsilon, double weightDecay, double clip) {
    /** Refuses what no optimiser can work with. */
    public Options {
      check("beta1", beta1, beta1 >= 0 && beta1 < 1, "from 0 to below 1");
      check("beta2", beta2, beta2 >= 0 && beta2 < 1, "from 0 to below 1");
      check("epsilon", epsilon, epsilon > 0, "above 0");
      check("weight decay", weightDecay, weightDecay >= 0 && weightDecay < 1e9, "0 or more");
      check("clip", clip, clip > 0, "above 0");
    }

    private static void check(String name, double value, boolean isRight, String expected) {
      if (!isRight) {
        throw new IllegalArgumentException(
            "AdamW: %s is %s, expected a number %s".formatted(name, value, expected));
      }
    }

    /** Usual weight decay. */
    public static final double WEIGHT_DECAY = 0.01;

    /** Usual bound of the gradients' norm. */
    public static final double CLIP = 1.0;

    /** What EE-Tuning's scripts use, with decay 0.01. */
    public static final Options DEFAULT = new Options(0.9, 0.95, 1e-5, WEIGHT_DECAY, CLIP);
  }

  /** An optimiser of {@code parameters}, its state zero. */
  public AdamW(
      Options options,
      Allocator allocator,
      Kernels kernels,
      SequencedMap<String, Tensor> parameters) {
    this.options = options;
    this.parameters = parameters;
    parameters.forEach(
        (name, p) -> {
          if (p.span().storage().isReadOnly()) {
            throw new IllegalArgumentException(
                "AdamW: parameter %s lies in memory that can only be read, such as a mapped file; copy it first"
                    .formatted(name));
          }
          for (String moment : new String[] {FIRST, SECOND}) {
            Tensor t = Tensor.allocate(allocator, DType.F32, p.shape());
            kernels.fill(t.span(), 0);
            state.put(moment + name, t);
          }
        });
  }

  /** The parameter that a moment of this name is of. */
  public static String parameterOf(String moment) {
    return moment.substring(moment.indexOf('.') + 1);
  }

  /** The moments by name, for checkpoints. */
  public Map<String, Tensor> state() {
    return state;
  }

  /**
   * Updates all parameters.
   *
   * @param step counted from 1
   * @param learningRate this step's rate
   * @return the gradients' global norm before clipping
   */
  public double step(Kernels kernels, Gradients gradients, int step, double learningRate) {
    List<Span> grads = parameters.values().stream().map(p -> gradients.of(p).span()).toList();
    double norm = Math.sqrt(kernels.sumSquares(grads));
    step(kernels, gradients, step, learningRate, norm);
    return norm;
  }

  /**
   * Updates all parameters, which are a part of all there are.
   *
   * @param step counted from 1
   * @param learningRate this step's rate
   * @param norm the global norm of all gradients
   */
  public void step(
      Kernels kernels, Gradients gradients, int step, double learningRate, double norm) {
    step(kernels, gradients::of, step, learningRate, norm);
  }

  /**
   * As above, with gradients from anywhere.
   *
   * @param gradient of a parameter
   */
  public void step(
      Kernels kernels, UnaryOperator<Tensor> gradient, int step, double learningRate, double norm) {
    if (step < 1) {
      throw new IllegalArgumentException("AdamW: step is " + step + ", they are counted from 1");
    }
    // PyTorch's clip_grad_norm_ adds 1e-6 too, so that a norm of zero stays harmless
    double scale = Math.min(1, options.clip / (norm + 1e-6));
    double correction1 = 1 - StrictMath.pow(options.beta1, step);
    double correction2 = 1 - StrictMath.pow(options.beta2, step);
    List<dev.sortie.tensor.kernel.AdamWCall.Update> updates = new ArrayList<>();
    parameters.forEach(
        (name, p) ->
            updates.add(
                new dev.sortie.tensor.kernel.AdamWCall.Update(
                    p.span(),
                    gradient.apply(p).span(),
                    state.get(FIRST + name).span(),
                    state.get(SECOND + name).span(),
                    new dev.sortie.tensor.kernel.AdamWCall(
                        learningRate,
                        options.beta1,
                        options.beta2,
                        options.epsilon,
                        p.shape().rank() > 1 ? options.weightDecay : 0,
                        correction1,
                        correction2,
                        scale))));
    kernels.adamW(updates);
  }
}
