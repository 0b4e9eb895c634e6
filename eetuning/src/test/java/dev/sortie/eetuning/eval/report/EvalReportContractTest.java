package dev.sortie.eetuning.eval.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.eval.ChoiceScorer;
import dev.sortie.eetuning.eval.DepthOracle;
import dev.sortie.eetuning.eval.EvalResults;
import dev.sortie.eetuning.eval.LayerSetOracle;
import dev.sortie.eetuning.eval.Markup;
import dev.sortie.eetuning.eval.SampleResults;
import dev.sortie.eetuning.eval.SweepPoint;
import dev.sortie.eetuning.eval.TextScorer;
import dev.sortie.eetuning.eval.TokenKind;
import dev.sortie.eetuning.eval.task.TextMetrics;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class EvalReportContractTest {
  private static final String TASK = "qa" + SampleResults.HOSTILE;

  private static EvalResults results() {
    SequencedMap<String, TextScorer.Score> heads = new LinkedHashMap<>();
    heads.put("3", new TextScorer.Score(4.25, 0.5, 0.9));
    heads.put("final", new TextScorer.Score(3.5, 1, 1));
    SequencedMap<String, ChoiceScorer.Accuracy> byHead = new LinkedHashMap<>();
    byHead.put("final", new ChoiceScorer.Accuracy(0.5, 0.625, 0.75));
    return new EvalResults(
        "model<b>",
        8,
        new EvalResults.Run("./sortie eval --out \"x\" <y>", "abc123-dirty", "bf16", "exact", 2),
        new Machine("cpu", 2, "java", "simd512", "2026-01-02"),
        Optional.of(new TextScorer.Result(100, 400, heads)),
        Optional.empty(),
        Optional.empty(),
        new LinkedHashMap<>(Map.of(TASK, byHead)),
        List.of(
            setting(SampleResults.full(), 101, 0.4),
            setting(SampleResults.early(0.8, 1.25, 0.97), 130.5, 0.375),
            setting(SampleResults.early(0.5, 1.5, 0.9), 90, 0.25)));
  }

  private static EvalResults.Setting setting(SweepPoint p, double predicted, double em) {
    return new EvalResults.Setting(
        p, predicted, new TreeMap<>(Map.of(TASK, new TextMetrics(em, 0.5, 0.6))));
  }

  @Test
  void thePageIsWholeAndNamesMachineFlagsAndCommit() {
    String page = EvalReport.page(results());
    assertThat(page)
        .contains("abc123-dirty", "--out &quot;x&quot; &lt;y&gt;", "simd512", "2 threads")
        .contains("model&lt;b&gt;")
        .doesNotContain("<script", "<b>", "src=", "NaN");
    assertThat(page.split("<svg", -1)).hasSize(1 + 4);
    assertThat(page.split("<table", -1)).hasSize(1 + 3);
    assertThat(page).contains("130.5", "1.25×", "97.0%", "37.5%", "62.5%");
    assertThat(page).contains("<td>changes nothing</td>", "<td>gain</td>", "class=\"band\"");
    assertThat(page.indexOf("<table>")).isPositive();
    Markup.assertWellFormed(page.substring(page.indexOf("<main>"), page.indexOf("</body>")));
  }

  private static EvalResults withOracle(Optional<LayerSetOracle.Result> sets) {
    SequencedMap<String, Double> needed = new LinkedHashMap<>(Map.of("3", 0.75));
    needed.put("final", 0.25);
    SequencedMap<String, Double> taken = new LinkedHashMap<>(Map.of("3", 0.5));
    taken.put("final", 0.5);
    DepthOracle.Part part = new DepthOracle.Part(40, needed, taken, 4.25, 5.5, 0.975);
    EvalResults r = results();
    return new EvalResults(
        r.model(),
        8,
        r.run(),
        r.machine(),
        r.text(),
        Optional.of(
            new DepthOracle.Result(
                new TreeMap<>(Map.of(3, 0.62)),
                part,
                new TreeMap<>(Map.of(TokenKind.WORD_START, part)))),
        sets,
        r.choices(),
        r.settings());
  }

  @Test
  void depthsThatTokensNeedAreDrawnAndTold() {
    EvalResults with = withOracle(Optional.empty());
    String page = EvalReport.page(with);
    assertThat(page).contains("3: 0.62", "begins a word, 40 tokens", "4.25", "5.50", "97.5%");
    assertThat(page.split("<svg", -1)).hasSize(1 + 5);
    Markup.assertWellFormed(page.substring(page.indexOf("<main>"), page.indexOf("</body>")));
    var oracle =
        Json.parse("results", Json.compact(EvalJson.of(with)), JsonLimits.CONFIG)
            .getObject("oracle");
    assertThat(oracle.getObject("thresholds").getDouble("3", 0, 1)).isEqualTo(0.62);
    var parts = oracle.getObjects("parts");
    assertThat(parts).hasSize(2);
    assertThat(parts.getLast().getString("kind")).isEqualTo("begins a word");
    assertThat(parts.getFirst().getObject("needed").getDouble("3", 0, 1)).isEqualTo(0.75);
    assertThat(parts.getFirst().getDouble("taken_depth", 0, 8)).isEqualTo(5.5);
  }

  @Test
  void setsOfLayersAreDrawnNextToThem() {
    LayerSetOracle.Part part =
        new LayerSetOracle.Part(40, new TreeMap<>(Map.of(0, 0.25, 2, 0.5, 8, 0.25)), 3);
    SequencedMap<TokenKind, LayerSetOracle.Part> kinds =
        new TreeMap<>(Map.of(TokenKind.WORD_START, part));
    EvalResults with = withOracle(Optional.of(new LayerSetOracle.Result(16, false, part, kinds)));
    String page = EvalReport.page(with);
    assertThat(page).contains("<td>3.00</td>", "at most 16 sets", "may need fewer");
    assertThat(page.split("<svg", -1)).hasSize(1 + 6);
    Markup.assertWellFormed(page.substring(page.indexOf("<main>"), page.indexOf("</body>")));
    var sets =
        Json.parse("results", Json.compact(EvalJson.of(with)), JsonLimits.CONFIG)
            .getObject("oracle")
            .getObject("sets");
    assertThat(sets.getInt("width", 1, 99)).isEqualTo(16);
    assertThat(sets.getBoolean("exact")).isFalse();
    var all = sets.getObjects("parts").getFirst();
    assertThat(all.getDouble("layers", 0, 8)).isEqualTo(3);
    assertThat(all.getObject("needed").getDouble("2", 0, 1)).isEqualTo(0.5);
    EvalResults exact = withOracle(Optional.of(new LayerSetOracle.Result(1000, true, part, kinds)));
    assertThat(EvalReport.page(exact)).contains("all sets").doesNotContain("may need fewer");
  }

  @Test
  void partsWithoutFiguresAreLeftOut() {
    EvalResults r = results();
    EvalResults bare =
        new EvalResults(
            r.model(),
            8,
            r.run(),
            r.machine(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            new LinkedHashMap<>(),
            List.of());
    String page = EvalReport.page(bare);
    assertThat(page).contains("How it was measured").doesNotContain("<svg", "<table");
    Markup.assertWellFormed(page.substring(page.indexOf("<main>"), page.indexOf("</body>")));
  }

  @Test
  void theJsonHasEveryFigure() {
    String text = Json.compact(EvalJson.of(results()));
    var root = Json.parse("results", text, JsonLimits.CONFIG);
    assertThat(root.getObject("run").getString("commit")).isEqualTo("abc123-dirty");
    var settings = root.getObjects("settings");
    assertThat(settings).hasSize(3);
    assertThat(settings.getFirst().getString("technique")).isEqualTo("none");
    assertThat(settings.get(1).getString("verdict")).isEqualTo("gain");
    assertThat(root.getObject("measurement").getInt("pairs", 0, 100)).isEqualTo(12);
    assertThat(settings.get(1).getDouble("predicted_tokens_per_second", 0, 1e9)).isEqualTo(130.5);
    assertThat(settings.get(1).getObject("tasks").getObject(TASK).getDouble("exact_match", 0, 1))
        .isEqualTo(0.375);
    assertThat(root.getObject("choices").getObject(TASK).getObject("final").fields())
        .containsEntry("acc_norm", 0.625);
    assertThat(root.getObject("text").getObjects("heads")).hasSize(2);
  }
}
