package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.tensor.Tensor;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Prints what exits a folder holds. */
final class ExitTable {
  private ExitTable() {}

  static void print(Exits exits, Path folder, PrintStream out) {
    out.println(folder + ":");
    for (Exit e : exits.exits()) {
      String what = "exit after layer " + e.depth() + ": " + e.spec().architecture().word();
      line(out, what, e.spec().ownHead(), e.draft(), e.parameters());
    }
    exits
        .lookahead()
        .ifPresent(l -> line(out, "lookahead exit", l.ownHead(), l.draft(), l.parameters()));
  }

  private static void line(
      PrintStream out,
      String what,
      boolean ownHead,
      Optional<DraftVocabulary> draft,
      Map<String, Tensor> parameters) {
    long count = parameters.values().stream().mapToLong(t -> t.shape().count()).sum();
    out.printf(
        Locale.ROOT,
        "  %s, %s head%s, %,d parameters%n",
        what,
        ownHead ? "own" : "the backbone's",
        draft.map(d -> String.format(Locale.ROOT, " over %,d tokens", d.size())).orElse(""),
        count);
  }
}
