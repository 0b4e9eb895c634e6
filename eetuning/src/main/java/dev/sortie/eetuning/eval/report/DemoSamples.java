package dev.sortie.eetuning.eval.report;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.eval.DemoResults;
import dev.sortie.eetuning.eval.DemoSample;
import dev.sortie.eetuning.eval.ExitKeys;
import dev.sortie.eetuning.plot.Palette;

/** The report's texts: what early exits wrote, each token in the colour of its exit. */
final class DemoSamples {
  private DemoSamples() {}

  /** All samples with a legend; empty without samples. */
  static String section(DemoResults r, Palette palette) {
    if (r.samples().isEmpty()) {
      return "";
    }
    StringBuilder out = new StringBuilder();
    out.append("<section>\n<h2>What it writes</h2>\n");
    out.append(
        "<p>Each token has the colour of the exit that decided it: the deeper, the darker. ");
    out.append("Point at a token to see its confidence. ");
    out.append(
        "Greedy, with a repetition penalty of %s; speed and agreement are measured without it."
            .formatted(NumberText.plain(DemoSample.REPETITION_PENALTY)));
    out.append("</p>\n<p class=\"legend\">");
    for (String key : palette.keys()) {
      out.append(
          "<span class=\"tok t%s\">%s</span> ".formatted(palette.index(key), ExitKeys.label(key)));
    }
    out.append("</p>\n");
    r.samples().forEach(sample -> sample(out, sample, palette));
    return out.append("</section>\n").toString();
  }

  private static void sample(StringBuilder out, DemoSample sample, Palette palette) {
    out.append("<article>\n<p class=\"prompt\"><span>Prompt</span> ")
        .append(SafeText.html(sample.prompt()))
        .append("</p>\n");
    out.append("<div class=\"texts\">\n<div>\n<h3>Early exits, threshold ");
    out.append(NumberText.plain(sample.threshold()))
        .append(" <em>")
        .append(early(sample))
        .append("</em></h3>\n<p class=\"text\">");
    for (DemoSample.Token token : sample.tokens()) {
      token(out, token, palette);
    }
    out.append("</p>\n</div>\n<div>\n<h3>Full depth <em>")
        .append(comparison(sample))
        .append("</em></h3>\n<p class=\"text\">");
    out.append(SafeText.html(sample.fullDepthText())).append("</p>\n</div>\n</div>\n</article>\n");
  }

  private static void token(StringBuilder out, DemoSample.Token token, Palette palette) {
    String key = ExitKeys.of(token.exit());
    String where = key.equals(ExitKeys.FINAL) ? "final layer" : "exit after layer " + key;
    // A space in the chip would hang as a coloured sliver at the end of a wrapped line.
    String text = token.text();
    boolean spaced = text.startsWith(" ") && !text.isBlank();
    out.append(spaced ? " " : "")
        .append(
            "<span class=\"tok t%s\" title=\"%s, confidence %s\">%s</span>"
                .formatted(
                    palette.index(key),
                    where,
                    NumberText.fixed(token.confidence(), 3),
                    SafeText.html(spaced ? text.substring(1) : text)));
  }

  private static String early(DemoSample sample) {
    long early = sample.tokens().stream().filter(token -> token.exit().isPresent()).count();
    return early + " of " + sample.tokens().size() + " tokens left early";
  }

  /** Whether both texts are the same, or how far they are. */
  private static String comparison(DemoSample sample) {
    String early = sample.text();
    String full = sample.fullDepthText();
    if (early.equals(full)) {
      return "the same text";
    }
    int common = 0;
    while (common < Math.min(early.length(), full.length())
        && early.charAt(common) == full.charAt(common)) {
      common++;
    }
    return common == 0 ? "differs from the start" : "the same for " + common + " characters";
  }
}
