package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.plot.LossPlot;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class DemoResultsContractTest {
  @Test
  void sharesOfTokensSumToOne() {
    assertThatThrownBy(
            () ->
                new SweepPoint(
                    "early-exit",
                    Technique.EXITS,
                    0.8,
                    List.of(3, 6),
                    10,
                    List.of(1.0),
                    1,
                    5,
                    SampleResults.shares(0.5, 0.3, 0.3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected 1");
  }

  @Test
  void sharesAreKeptShallowFirst() {
    assertThat(SampleResults.early(0.8, 1, 1).exits().keySet()).containsExactly("3", "6", "final");
    assertThat(SampleResults.early(0.8, 1, 1).activeExits()).containsExactly(3, 6);
  }

  @Test
  void anExitThatIsNoDepthIsRefused() {
    LinkedHashMap<String, Double> shares = new LinkedHashMap<>();
    shares.put("last", 1.0);
    assertThatThrownBy(
            () ->
                new SweepPoint(
                    "full", Technique.NONE, 1, List.of(), 10, List.of(1.0), 1, 8, shares))
        .hasMessageContaining("\"last\"");
  }

  @Test
  void valuesThatNoPlotCanShowAreRefused() {
    assertThatThrownBy(() -> new LossPlot.Point(12, Double.NaN)).hasMessageContaining("step 12");
    assertThatThrownBy(() -> new DemoSample.Token(1, "a", OptionalInt.of(3), 1.5))
        .hasMessageContaining("1.5");
    assertThatThrownBy(() -> SampleResults.early(0.8, Double.POSITIVE_INFINITY, 1))
        .hasMessageContaining("Infinity");
    assertThatThrownBy(() -> SampleResults.early(0.8, 1, -0.1)).hasMessageContaining("-0.1");
  }

  @Test
  void aConfidenceThatRoundingLiftedAboveOneIsOne() {
    assertThat(new DemoSample.Token(1, "a", OptionalInt.of(3), 1.0000001f).confidence())
        .isEqualTo(1);
  }

  @Test
  void anExitStandsInsideTheModel() {
    TreeMap<Integer, Double> validation = new TreeMap<>();
    validation.put(8, 3.0);
    assertThatThrownBy(
            () ->
                new DemoResults(
                    "m",
                    8,
                    1,
                    1,
                    1,
                    1,
                    List.of(),
                    new TreeMap<>(),
                    validation,
                    List.of(),
                    SampleResults.empty().machine()))
        .hasMessageContaining("exit 8")
        .hasMessageContaining("8 layers");
  }

  @Test
  void theHeadlineIsTheFastestPointThatStillAgrees() {
    assertThat(SampleResults.usual().headline()).contains(SampleResults.early(0.8, 1.5, 0.96));
  }

  @Test
  void eachTechniqueHasABestPointAndReadyExitsAreNotTheHeadline() {
    SweepPoint exits = SampleResults.early(0.8, 1.1, 0.97);
    SweepPoint drafts = SampleResults.point(Technique.DRAFTS, List.of(), 1, 1.3, 1);
    SweepPoint both = SampleResults.point(Technique.BOTH, List.of(3), 0.8, 1.4, 0.97);
    SweepPoint ready = SampleResults.point(Technique.READY_EXITS, List.of(3), 0.8, 1.6, 0.98);
    SweepPoint bold = SampleResults.point(Technique.BOTH, List.of(3), 0.1, 2, 0.5);
    DemoResults r =
        SampleResults.with(List.of(SampleResults.full(), exits, ready, drafts, bold, both));
    assertThat(r.best(Technique.EXITS)).contains(exits);
    assertThat(r.best(Technique.READY_EXITS)).contains(ready);
    assertThat(r.best(Technique.DRAFTS)).contains(drafts);
    assertThat(r.best(Technique.BOTH)).contains(both);
    assertThat(r.headline()).contains(exits);
    assertThat(SampleResults.with(List.of(exits)).best(Technique.DRAFTS)).isEmpty();
  }

  @Test
  void theSpeedUpIsTheMedianOfThePairs() {
    assertThat(
            new SweepPoint(
                    "early-exit",
                    Technique.EXITS,
                    0.8,
                    List.of(3, 6),
                    10,
                    List.of(1.2, 9.0, 1.1, 0.1),
                    1,
                    5,
                    SampleResults.shares(0.5, 0.3, 0.2))
                .speedup())
        .isCloseTo(1.15, within(1e-12));
  }

  @Test
  void withoutSuchAPointTheHeadlineIsTheOneThatAgreesMost() {
    SweepPoint most = SampleResults.early(0.8, 1.1, 0.7);
    assertThat(
            SampleResults.with(
                    List.of(SampleResults.full(), SampleResults.early(0.5, 3, 0.2), most))
                .headline())
        .contains(most);
    assertThat(SampleResults.with(List.of(SampleResults.full())).headline()).isEmpty();
  }
}
