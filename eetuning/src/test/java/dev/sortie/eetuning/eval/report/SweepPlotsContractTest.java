package dev.sortie.eetuning.eval.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.MeasurementError;
import dev.sortie.eetuning.eval.SampleResults;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.Technique;
import dev.sortie.eetuning.plot.Palette;
import dev.sortie.eetuning.plot.Svg;
import java.util.List;
import org.junit.jupiter.api.Test;

class SweepPlotsContractTest {
  private static Svg quality(List<SweepPoint> sweep) {
    return SweepPlots.quality(
        "q", "Quality", sweep, SweepPlots.Quality.AGREEMENT, MeasurementError.of(sweep));
  }

  @Test
  void theScatterPlotShowsAndLabelsEveryPoint() {
    String svg = quality(SampleResults.usual().sweep()).inline();
    assertThat(svg.split("class=\"point k", -1)).hasSize(1 + 4 + 2);
    assertThat(svg).contains(">0.6</text>").contains(">0.8</text>").contains(">0.9</text>");
    assertThat(svg)
        .contains(
            "<desc id=\"q-text\">full, threshold 1: 1.00× (changes nothing) at 100.0% agreement; early-exit,"
                + " threshold 0.8");
  }

  @Test
  void exitSetsOfOneStrategyAreSeriesOfTheirOwn() {
    SweepPoint both = SampleResults.early(0.8, 1.5, 0.9);
    SweepPoint one = SampleResults.point(Technique.EXITS, List.of(3), 0.8, 1.2, 0.95);
    assertThat(SweepPlots.series(List.of(both, one)))
        .extracting(SweepPlots.Series::name)
        .containsExactly("early-exit, exits 3+6", "early-exit, exits 3");
  }

  @Test
  void theBarsHaveAPartPerExit() {
    DemoResults results = SampleResults.usual();
    String svg =
        SweepPlots.shares("s", "Shares", results.sweep(), new Palette(results.exitKeys())).inline();
    for (String part : List.of("exit 3: 50.0%", "exit 6: 20.0%", "final: 30.0%")) {
      assertThat(svg.split("<title>" + part + "</title>", -1)).hasSize(1 + 3);
    }
  }

  @Test
  void theErrorIsABandRoundFullDepth() {
    assertThat(quality(SampleResults.usual().sweep()).inline()).contains("class=\"band\"");
    assertThat(quality(List.of(SampleResults.early(0.8, 1.5, 0.9))).inline())
        .doesNotContain("class=\"band\"");
  }

  @Test
  void sweepsWithNoneOrOnePointDraw() {
    Palette palette = new Palette(List.of("final"));
    assertThat(quality(List.of()).inline()).contains("Nothing was measured.");
    assertThat(SweepPlots.shares("s", "Shares", List.of(), palette).inline())
        .contains("Nothing was measured.");
    String one = quality(List.of(SampleResults.full())).inline();
    assertThat(one).contains("class=\"point k0\"").doesNotContain("NaN");
  }
}
