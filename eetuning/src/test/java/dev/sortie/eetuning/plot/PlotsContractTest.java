package dev.sortie.eetuning.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.sortie.eetuning.eval.Markup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlotsContractTest {
  @TempDir Path dir;

  private String lossPlot(SequencedMap<String, List<LossPlot.Point>> series) throws IOException {
    Path file = dir.resolve("loss.svg");
    LossPlot.write(file, series, "Loss of <model>");
    String text = Files.readString(file);
    String declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    assertThat(text).startsWith(declaration + "<svg ");
    Markup.assertWellFormed(text.substring(declaration.length()));
    assertThat(text)
        .doesNotContain("NaN")
        .doesNotContain("Infinity")
        .contains("Loss of &lt;model&gt;");
    return text;
  }

  private static List<LossPlot.Point> falling(int points, double start) {
    List<LossPlot.Point> list = new ArrayList<>();
    for (int i = 0; i < points; i++) {
      list.add(new LossPlot.Point(i, start / (1 + i)));
    }
    return list;
  }

  @Test
  void theLossPlotHasALineAndANamePerSeries() throws IOException {
    SequencedMap<String, List<LossPlot.Point>> series = new LinkedHashMap<>();
    series.put("exit 3", falling(50, 8));
    series.put("exit 6", falling(50, 7));
    series.put("final", falling(50, 6));
    String svg = lossPlot(series);
    for (int i = 0; i < 3; i++) {
      assertThat(svg).contains("class=\"line s" + i + "\"").contains(".s" + i + "{stroke:#");
    }
    assertThat(svg).contains(">exit 3</text>").contains(">exit 6</text>").contains(">final</text>");
  }

  @Test
  void onePointManyEqualPointsAndNonePlotToo() throws IOException {
    SequencedMap<String, List<LossPlot.Point>> series = new LinkedHashMap<>();
    assertThat(lossPlot(series)).contains("Nothing was measured.");
    series.put("a", List.of());
    assertThat(lossPlot(series)).contains("Nothing was measured.");
    series.put("b", List.of(new LossPlot.Point(0, 0)));
    assertThat(lossPlot(series))
        .contains("class=\"dot f1\"")
        .doesNotContain("Nothing was measured.");
    series.put(
        "c",
        List.of(new LossPlot.Point(5, 2), new LossPlot.Point(10, 2), new LossPlot.Point(15, 2)));
    assertThat(lossPlot(series)).contains("class=\"line s2\"");
  }

  @Test
  void manyPointsKeepTheirMeanAndTheirLastStep() {
    List<LossPlot.Point> points = falling(2400, 8);
    List<LossPlot.Point> thin = LossPlot.thin(points);
    assertThat(thin).hasSize(240);
    assertThat(thin.getLast().step()).isEqualTo(2399);
    assertThat(thin.stream().mapToDouble(LossPlot.Point::loss).average().orElseThrow())
        .isCloseTo(
            points.stream().mapToDouble(LossPlot.Point::loss).average().orElseThrow(),
            offset(1e-12));
  }

  @Test
  void ticksAreRoundAndHoldAllValues() {
    PlotAxis axis = PlotAxis.around(0.83, 1, 5, 0, 100);
    assertThat(axis.step()).isEqualTo(0.05);
    assertThat(axis.low()).isLessThanOrEqualTo(0.83);
    assertThat(axis.high()).isGreaterThanOrEqualTo(1);
    assertThat(axis.ticks()).hasSize(5);
    assertThat(PlotAxis.roundStep(0.3)).isEqualTo(0.5);
    assertThat(PlotAxis.roundStep(120)).isEqualTo(200);
    assertThat(PlotAxis.around(-5, -5, 5, 0, 100).at(-5)).isBetween(0.0, 100.0);
  }

  @Test
  void deeperIsDarker() {
    String css = new Palette(List.of("3", "6", "9", "final")).css();
    List<Integer> light = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      String hex = css.split("\\.s" + i + "\\{stroke:#", 2)[1].substring(0, 6);
      int rgb = Integer.parseInt(hex, 16);
      light.add(2126 * (rgb >> 16) + 7152 * (rgb >> 8 & 255) + 722 * (rgb & 255));
    }
    assertThat(light).isSortedAccordingTo(Comparator.reverseOrder()).doesNotHaveDuplicates();
  }
}
