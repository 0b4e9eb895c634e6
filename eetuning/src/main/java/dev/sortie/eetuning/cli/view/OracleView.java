package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.eval.DepthOracle;
import dev.sortie.eetuning.eval.LayerSetOracle;
import java.io.PrintStream;
import java.util.Locale;
import java.util.Optional;

/** What oracles know of a text, in a terminal. */
final class OracleView {
  private OracleView() {}

  static void print(
      DepthOracle.Result exits, Optional<LayerSetOracle.Result> sets, PrintStream out) {
    out.printf(
        "depth needed, and taken by thresholds %s%n%24s %8s %8s %8s %8s %10s%n",
        exits.thresholds(), "kind", "tokens", "any set", "needed", "taken", "agreement");
    part("all", exits.all(), sets.map(LayerSetOracle.Result::all), out);
    exits
        .kinds()
        .forEach((kind, p) -> part(kind.label(), p, sets.map(s -> s.kinds().get(kind)), out));
    if (sets.filter(s -> !s.exact()).isPresent()) {
      out.printf(
          "any set: at most %d sets were kept for each depth and number of layers; tokens may need"
              + " fewer layers%n",
          sets.get().width());
    }
  }

  private static void part(
      String name, DepthOracle.Part p, Optional<LayerSetOracle.Part> sets, PrintStream out) {
    out.printf(
        Locale.ROOT,
        "%24s %8d %8s %8.2f %8.2f %10.4f%n",
        name,
        p.tokens(),
        sets.map(s -> String.format(Locale.ROOT, "%.2f", s.layers())).orElse("-"),
        p.neededDepth(),
        p.takenDepth(),
        p.agreement());
  }
}
