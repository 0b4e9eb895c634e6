package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Gate;
import dev.sortie.tensor.Tensor;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Prints what exits a folder holds, and how well their gates do. */
public final class ExitTable {
  private ExitTable() {}

  public static void print(Exits exits, Path folder, PrintStream out) {
    lines(exits, folder).forEach(out::println);
  }

  /** A heading, then a line for each exit. */
  public static List<String> lines(Exits exits, Path folder) {
    List<String> lines = new ArrayList<>(List.of(folder + ":"));
    for (Exit e : exits.exits()) {
      String what = "exit after layer " + e.depth() + ": " + e.spec().architecture().word();
      String head = head(e.spec().ownHead(), e.draft());
      lines.add(
          line(what, head + (e.readsTextTokens() ? " and those of the text" : ""), e.parameters()));
    }
    exits
        .lookahead()
        .ifPresent(
            l -> {
              String layers =
                  l.features().stream().map(String::valueOf).collect(Collectors.joining(", "));
              String what =
                  l.readsFinalStates()
                      ? "lookahead exit"
                      : "lookahead exit, reads layers " + layers;
              lines.add(line(what, head(l.ownHead(), l.draft()), l.parameters()));
            });
    exits
        .ngrams()
        .ifPresent(
            n ->
                lines.add(
                    String.format(
                        Locale.ROOT, "  n-grams for drafts: %,d of one or two tokens", n.size())));
    return lines;
  }

  private static String head(boolean own, Optional<DraftVocabulary> draft) {
    return (own ? "own head" : "the backbone's head")
        + draft.map(d -> String.format(Locale.ROOT, " over %,d tokens", d.size())).orElse("");
  }

  private static String line(String what, String head, Map<String, Tensor> parameters) {
    long count = parameters.values().stream().mapToLong(t -> t.shape().count()).sum();
    return String.format(Locale.ROOT, "  %s, %s, %,d parameters", what, head, count);
  }

  /** How well the gates of exits do, a line for each. */
  public static void printGates(Exits exits, Consumer<String> out) {
    for (Exit e : exits.exits()) {
      e.gates().probe().ifPresent(g -> out.accept(gate(e, "probe", g)));
      e.gates().coverage().ifPresent(g -> out.accept(gate(e, "coverage", g)));
    }
  }

  private static String gate(Exit e, String name, Gate gate) {
    return String.format(
        Locale.ROOT,
        "exit after layer %d: %s wrong for %.1f %% of %,d held-out tokens; the more frequent answer for %.1f %%",
        e.depth(),
        name,
        100 * gate.report().error(),
        gate.report().tokens(),
        100 * gate.report().baseError());
  }
}
