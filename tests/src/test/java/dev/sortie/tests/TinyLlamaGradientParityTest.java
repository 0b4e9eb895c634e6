package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.train.TokenLoss;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Backward;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A whole decoder against PyTorch in float64: everything on the way, the loss, and the gradient of
 * every parameter. In F32 a difference is rounding summed over some 40 ops in a row; in F64 it is
 * the F32 rounding of the stored reference alone, so that run has no room for a small mistake.
 */
class TinyLlamaGradientParityTest {

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, F32, 1e-5", "tiny-llama, F64, 1e-7",
    "tiny-llama-bias, F32, 1e-5", "tiny-llama-bias, F64, 1e-7"
  })
  void activationsLossAndGradientsAreThoseOfTorch(String model, DType dtype, double tolerance) {
    try (Bench bench = Bench.open(2);
        Fixture expected = Fixture.open(model)) {
      Decoder decoder = Fixture.decoder(model, bench, dtype, true);
      Ops ops = bench.ops();
      Map<String, Tensor> seen = new LinkedHashMap<>();
      Tensor x =
          decoder.forward(
              ops,
              expected.ids(bench, "input_ids"),
              decoder.config().layers(),
              (depth, a, y) -> {
                seen.put("attn_residual." + depth, a);
                seen.put("hidden." + depth, y);
              });
      Tensor logits = decoder.logits(ops, x);
      seen.put("logits", logits);
      Tensor loss =
          TokenLoss.crossEntropy(
              ops,
              decoder.headInput(ops, x),
              expected.ids(bench, "targets"),
              false,
              expected.counted());
      Gradients gradients =
          new Gradients(bench.arena(), bench.kernels(), decoder.parameters().values());
      Backward.run(bench.kernels(), ops.workspace(), loss, gradients);
      decoder.parameters().forEach((name, p) -> seen.put("grad." + name, gradients.of(p)));

      double reference = expected.scalar("loss");
      assertThat(loss.item()).isCloseTo(reference, within(tolerance * reference));
      Set<String> wanted = new HashSet<>();
      expected.names().forEach(wanted::add);
      wanted.removeAll(Set.of("input_ids", "targets", "loss"));
      assertThat(seen.keySet()).containsExactlyInAnyOrderElementsOf(wanted);
      seen.forEach((name, t) -> Parity.near(name, t.span(), expected.read(name), tolerance));
    }
  }

  /** Tuning and scoring run the backbone without recording, with temporaries given back. */
  @ParameterizedTest
  @CsvSource({"tiny-llama", "tiny-llama-bias"})
  void forwardWithoutGradientsHasTheSameBits(String model) {
    try (Bench bench = Bench.open(2);
        Fixture expected = Fixture.open(model)) {
      Decoder decoder = Fixture.decoder(model, bench, DType.F32, true);
      Tensor ids = expected.ids(bench, "input_ids");
      Tensor recorded = decoder.forward(bench.ops(), ids);
      Tensor plain = NoGrad.call(() -> decoder.forward(bench.ops(), ids));
      assertThat(recorded.needsGrad()).isTrue();
      assertThat(plain.needsGrad()).isFalse();
      Parity.same("logits", plain.span(), recorded.span());
    }
  }
}
