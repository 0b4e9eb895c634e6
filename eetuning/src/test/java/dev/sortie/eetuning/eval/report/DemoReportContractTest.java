package dev.sortie.eetuning.eval.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.Markup;
import dev.sortie.eetuning.eval.SampleResults;
import dev.sortie.eetuning.eval.Technique;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoReportContractTest {
  @TempDir Path dir;

  private String page(DemoResults results) throws IOException {
    DemoReport.write(dir, results, "./sortie demo --out <here>");
    return Files.readString(dir.resolve("report.html"));
  }

  @Test
  void textsOfTheModelAreNeverMarkup() throws IOException {
    String page = page(SampleResults.usual());
    assertThat(page).doesNotContain("<script").doesNotContain("\u001b").doesNotContain("\u202e");
    assertThat(page).doesNotContain("fable<b>").doesNotContain("<fast>").doesNotContain("<here>");
    assertThat(page)
        .contains(
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\\u001b[2J\\u202e &amp; &quot;q&quot;");
  }

  @Test
  void thePageNeedsNothingElse() throws IOException {
    String page = page(SampleResults.usual()).replace("http://www.w3.org/2000/svg", "");
    assertThat(page).doesNotContain("http:").doesNotContain("https:").doesNotContain("src=");
    assertThat(page).doesNotContain("href=").doesNotContain("url(").doesNotContain("@import");
    assertThat(page).contains("prefers-color-scheme: dark").contains("name=\"viewport\"");
  }

  @Test
  void theSpeedUpStandsNextToItsPrice() throws IOException {
    String page = page(SampleResults.usual());
    assertThat(page)
        .containsSubsequence(
            "class=\"figure\">1.50×", "class=\"figure\">96.0%", "class=\"figure\">5.5");
    assertThat(page).contains("early-exit at threshold 0.8");
  }

  @Test
  void aSlowerSettingIsCalledSlower() throws IOException {
    String page =
        page(
            SampleResults.with(List.of(SampleResults.full(), SampleResults.early(0.8, 0.9, 0.97))));
    assertThat(page).contains("It is slower than full depth.").doesNotContain("<td>gain</td>");
  }

  @Test
  void aSpeedUpWithinTheErrorIsNotCalledAGain() throws IOException {
    String page =
        page(
            SampleResults.with(
                List.of(SampleResults.full(), SampleResults.early(0.8, 1.019, 0.97))));
    assertThat(page)
        .contains("class=\"figure\">1.02×", "no gain: within the error", "<td>within error</td>")
        .contains("The error of the measurement is 2.0%")
        .doesNotContain("card gain", "<td>gain</td>");
    assertThat(page(SampleResults.usual())).contains("card gain", "<td>gain</td>");
  }

  @Test
  void techniquesStandSideBySide() throws IOException {
    String page =
        page(
            SampleResults.with(
                List.of(
                    SampleResults.full(),
                    SampleResults.early(0.8, 1.1, 0.97),
                    SampleResults.point(Technique.READY_EXITS, List.of(3), 0.8, 1.2, 0.98),
                    SampleResults.point(Technique.DRAFTS, List.of(), 1, 1.3, 1),
                    SampleResults.point(Technique.BOTH, List.of(3), 0.8, 1.4, 0.97))));
    assertThat(page)
        .containsSubsequence(
            "<h2>Exits, drafts, and both</h2>",
            "exits alone</th>",
            "1.10×",
            "ready exits</th>",
            "1.20×",
            "drafts alone</th>",
            "1.30×",
            "exits and drafts</th>",
            "1.40×",
            "<h2>Quality against speed</h2>",
            "class=\"band\"");
  }

  @Test
  void eachTokenHasTheColourOfItsExitAndItsConfidence() throws IOException {
    String page = page(SampleResults.usual());
    assertThat(page)
        .contains(
            "<span class=\"tok t0\" title=\"exit after layer 3, confidence 0.930\">Once</span>");
    assertThat(page).contains("<span class=\"tok t2\" title=\"final layer, confidence 0.410\">");
    assertThat(page).contains("2 of 3 tokens left early");
  }

  @Test
  void thePageIsWellFormed() throws IOException {
    for (DemoResults results : List.of(SampleResults.usual(), SampleResults.empty())) {
      String body = page(results);
      body = body.substring(body.indexOf("<body>"), body.indexOf("</body>") + "</body>".length());
      Markup.assertWellFormed(body);
    }
  }

  @Test
  void thePageIsTheSameInEveryLocale() throws IOException {
    String here = page(SampleResults.usual());
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertThat(page(SampleResults.usual())).isEqualTo(here);
    } finally {
      Locale.setDefault(before);
    }
  }
}
