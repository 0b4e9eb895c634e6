package dev.sortie.eetuning.train.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.train.TinyTuning;
import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.eetuning.train.data.Batch;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.LayerCycle;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Workspace;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Training by chunks of the graph, each with its auxiliary loss, follows the gradient of {@code
 * L_final + Σ w_i L_i} of the whole graph in one backward pass.
 */
class PretrainGradientParityTest {
  private static final int STEPS = 2;
  private static final int MICRO = 2;
  private static final int GLOBAL = 4;
  private static final int LENGTH = 12;
  private static final int VOCAB = 61;

  private static PretrainOptions options() {
    List<ExitSpec> specs =
        List.of(
            new ExitSpec(1, ExitArchitecture.MLP, true),
            new ExitSpec(2, ExitArchitecture.NORM, false),
            new ExitSpec(3, ExitArchitecture.LAYER, false));
    return new PretrainOptions(
            MICRO,
            GLOBAL,
            new Schedule(1e-2, 1e-3, 0, STEPS, Schedule.Decay.LINEAR),
            // a large epsilon, so that an update is nearly proportional to its gradient
            new AdamW.Options(0.9, 0.95, 1, 0.01, 1),
            5)
        .withExits(PretrainExits.of(specs, Map.of(2, 0.5), 0.25, 0.5, 4, Schedule.Decay.LINEAR));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void weightsAreThoseOfOneGraph(boolean tied) {
    compare(plain(4, tied));
  }

  /** Exits stand before, between and after the uses of a layer. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void weightsThatLayersShareAreThoseOfOneGraph(boolean zeroToken) {
    compare(plain(3, true).withCycle(new LayerCycle(2, zeroToken)));
  }

  private static DecoderConfig plain(int layers, boolean tied) {
    return new DecoderConfig(
        layers, 16, 4, 2, 4, 24, VOCAB, LENGTH, 1e-5, 10000, false, false, false, tied);
  }

  private static void compare(DecoderConfig config) {
    RowsSource data = TinyTuning.counting(VOCAB, LENGTH, 7);
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("one graph");
        Workspace workspace = new Workspace();
        Pretrainer trainer = new Pretrainer(config, options(), data, device)) {
      PretrainModel model =
          PretrainModel.begun(
              config, options(), DecoderBuilder.WHOLE, name -> true, arena, device.kernels());
      Map<String, float[]> begin = new HashMap<>();
      model.parameters().forEach((name, t) -> begin.put(name, t.toFloats()));
      SequencedMap<String, Tensor> parameters = model.parameters();
      Gradients gradients = new Gradients(arena, device.kernels(), parameters.values());
      AdamW optimizer = new AdamW(options().adamW(), arena, device.kernels(), parameters);
      Ops ops = new Ops(device, workspace);
      for (int step = 0; step < STEPS; step++) {
        gradients.zero();
        for (int m = 0; m < GLOBAL; m += MICRO) {
          int[][] windows = data.windows((long) step * GLOBAL + m, MICRO);
          try (var _ = workspace.mark()) {
            Tensor loss = loss(ops, model, Batch.of(workspace, windows), step);
            Backward.run(device.kernels(), workspace, loss, gradients);
          }
        }
        double rate = options().schedule().at(step);
        optimizer.step(device.kernels(), gradients, step + 1, rate);
        trainer.step(step);
      }
      SequencedMap<String, Tensor> trained = trainer.state();
      parameters.forEach(
          (name, expected) -> {
            float[] was = begin.get(name);
            float[] is = trained.get(name).toFloats();
            double most = 0;
            for (int i = 0; i < was.length; i++) {
              most = Math.max(most, Math.abs(expected.get(at(expected, i)) - was[i]));
            }
            assertThat(most).as(name + " moves").isPositive();
            for (int i = 0; i < was.length; i++) {
              // weights of up to 1 in F32, and sums in another order
              assertThat((double) is[i])
                  .as("%s[%d]", name, i)
                  .isCloseTo(expected.get(at(expected, i)), within(1e-3 * most + 1e-7));
            }
          });
    }
  }

  private static long[] at(Tensor t, int i) {
    return t.shape().rank() == 1
        ? new long[] {i}
        : new long[] {i / t.shape().dim(1), i % t.shape().dim(1)};
  }

  private static Tensor loss(Ops ops, PretrainModel model, Batch batch, int step) {
    Decoder decoder = model.decoder();
    Map<Integer, HiddenState> states = new HashMap<>();
    int layers = decoder.config().layers();
    Tensor x =
        decoder.forward(
            ops,
            batch.inputs(),
            layers,
            (depth, a, out) -> states.put(depth, new HiddenState(out, a)));
    double count = (double) GLOBAL * LENGTH;
    Tensor sum =
        TokenLoss.crossEntropy(ops, decoder.headInput(ops, x), batch.targets(), false, count);
    for (Exit e : model.exits()) {
      HiddenState in = states.get(e.depth());
      Tensor loss =
          TokenLoss.crossEntropy(
              ops, e.headInput(ops, in.x(), in.a()), batch.targets(), false, count);
      double weight = options().exits().weights().at(e.depth(), step);
      sum = ops.add(sum, ops.scale(loss, weight));
    }
    return sum;
  }
}
