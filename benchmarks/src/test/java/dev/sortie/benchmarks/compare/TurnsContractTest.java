package dev.sortie.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.benchmarks.measure.PeerWarmUp;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.eetuning.eval.Median;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class TurnsContractTest {

  @Test
  void sidesTakeTurnsAndEachRoundBeginsWithAnother() {
    List<String> order = new ArrayList<>();
    double[] a = {3, 1, 100};
    double[] medians =
        Turns.medians(
            3,
            () -> {
              order.add("a");
              return a[(int) order.stream().filter("a"::equals).count() - 1];
            },
            () -> {
              order.add("b");
              return 5;
            });
    assertThat(order).containsExactly("a", "b", "b", "a", "a", "b");
    assertThat(medians).containsExactly(3, 5);
  }

  @Test
  void theMedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo() {
    assertThat(Median.of(DoubleStream.of(9, 1, 4, 2))).isEqualTo(3);
  }

  @Test
  void warmUpContinuesUntilTheTimeIsSteady() {
    int[] calls = {0};
    PeerWarmUp.run(() -> calls[0]++ < 6 ? 10.0 / calls[0] : 0.5);
    assertThat(calls[0]).isBetween(10, 14);
  }

  @Test
  void resultsThatDifferAreRefusedWithBothValues() {
    try (NativeArena arena = new NativeArena("test")) {
      Span ours = arena.allocate(DType.F32, 3).span();
      Span theirs = arena.allocate(DType.F32, 3).span();
      theirs.set(1, 0.25);
      assertThatThrownBy(() -> PeerAgreement.check("case", ours, theirs, 8))
          .isInstanceOf(DisagreementException.class)
          .hasMessageContaining("case: element 1 is 0.0 here and 0.25 at the peer");
      ours.set(1, 0.25);
      PeerAgreement.check("case", ours, theirs, 8);
      theirs.set(2, Double.NaN);
      assertThatThrownBy(() -> PeerAgreement.check("case", ours, theirs, 8))
          .isInstanceOf(DisagreementException.class);
    }
    assertThatThrownBy(() -> PeerAgreement.check("loss", 1.01, 1.0, 1e-3))
        .isInstanceOf(DisagreementException.class);
    float[] logits = {0.5f, 3, -1, 2};
    assertThat(PeerAgreement.rank("case", logits, 1, 1)).isZero();
    assertThat(PeerAgreement.rank("case", logits, 0, 3)).isEqualTo(2);
    assertThatThrownBy(() -> PeerAgreement.rank("case", logits, 3, 1))
        .isInstanceOf(DisagreementException.class);
    assertThat(PeerAgreement.leading(List.of(1, 2, 3), List.of(1, 2, 4, 5))).isEqualTo(2);
  }
}
