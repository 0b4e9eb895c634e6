package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.eetuning.explain.ExitReading;
import dev.sortie.eetuning.explain.Explanation;
import dev.sortie.eetuning.explain.Explanation.ExitRun;
import dev.sortie.eetuning.explain.Explanation.LayerRun;
import dev.sortie.eetuning.explain.Explanation.ReadToken;
import dev.sortie.eetuning.explain.Explanation.Stretch;
import dev.sortie.eetuning.explain.KernelUse;
import dev.sortie.eetuning.explain.KernelUse.CacheUse;
import dev.sortie.eetuning.explain.KernelUse.WeightUse;
import dev.sortie.eetuning.explain.LikelyToken;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An explanation for people, in {@value #WIDTH} columns.
 *
 * @param kernels name of the kernel set
 */
public record ExplanationView(Explanation explanation, String kernels) {
  static final int WIDTH = 100;

  private static final String LAYER = "%6s %6s %5s %6s %12s %9s  %s";
  private static final String INDENT = " ".repeat(8);
  private static final String KERNEL = "  %-12s %-28s %-28s %-18s %8s";
  private static final int SHOWN_WEIGHTS = 28;
  private static final int SHOWN_TEXT = 12;

  /** Prints it. */
  public void print(PrintStream out) {
    lines().forEach(out::println);
  }

  /** All lines, without line feeds. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>(heading());
    lines.add("");
    lines.add(row("layer", "token", "rows", "keys", "KV cache", "µs", "kernels"));
    lines.add(part("embed", explanation.embedding()));
    for (LayerRun run : explanation.layers()) {
      lines.add(layer(run));
      explanation.exits().stream()
          .filter(exit -> exit.reading().depth() == run.layer())
          .forEach(exit -> lines.addAll(exit(exit)));
    }
    lines.add(part("final", explanation.last().kernels()));
    lines.add(likely(explanation.last().top()));
    lines.add("");
    lines.addAll(later());
    lines.addAll(kernelsOfLayers());
    return lines.stream().map(line -> clipped(line.stripTrailing(), WIDTH)).toList();
  }

  private List<String> heading() {
    Explanation e = explanation;
    String by =
        e.exit().isPresent() ? "the exit after layer " + e.exit().getAsInt() : "the final layer";
    String before = e.number() == 1 ? "the last token of the prompt" : "token " + (e.number() - 1);
    return List.of(
        "Token %d, %s, was chosen by %s.".formatted(e.number(), shown(e.chosen()), by),
        "The layers below read %s, %s at position %d."
            .formatted(before, shown(e.read()), e.position()),
        "Kernels: %s. Times are the least of several passes.".formatted(kernels));
  }

  private static String shown(ReadToken token) {
    return "%s (id %d)".formatted(quoted(token.text()), token.id());
  }

  private static String quoted(String text) {
    return '"' + SafeText.visibleLine(text) + '"';
  }

  private static String row(Object... columns) {
    return LAYER.formatted(columns);
  }

  private String layer(LayerRun run) {
    if (run.by().isEmpty()) {
      return row(run.layer(), "-", "", "", "", "", "not computed: the text ended before");
    }
    CacheUse cache = run.cache().orElseThrow();
    return row(
        run.layer(),
        run.by().getAsInt(),
        run.rows(),
        cache.tokens(),
        bytes(cache.bytes()),
        time(run.nanos()),
        products(run.kernels()));
  }

  private static String part(String name, List<KernelUse> kernels) {
    long nanos = kernels.stream().mapToLong(KernelUse::nanos).sum();
    return row(name, "", "", "", "", time(nanos), products(kernels));
  }

  private static List<String> exit(ExitRun run) {
    ExitReading r = run.reading();
    String bound =
        r.threshold().isEmpty()
            ? ""
            : (r.confidence() >= r.threshold().getAsDouble() ? ", at least " : ", below ")
                + NumberText.plain(r.threshold().getAsDouble());
    return List.of(
        part("exit " + r.depth(), run.kernels()),
        "%sconfidence %s%s: %s"
            .formatted(INDENT, NumberText.fixed(r.confidence(), 4), bound, verdict(run)),
        likely(r.top()));
  }

  private static String verdict(ExitRun run) {
    String would = run.reading().leaves() ? "would leave" : "would stay";
    return switch (run.asked()) {
      case TAKEN -> "left here";
      case PASSED -> "went deeper";
      case BELOW -> would;
      case SKIPPED -> "not evaluated by generate, " + would;
    };
  }

  private static String likely(List<LikelyToken> top) {
    return top.stream()
        .map(
            t ->
                "%s %s"
                    .formatted(
                        clipped(quoted(t.text()), SHOWN_TEXT), NumberText.percent(t.probability())))
        .collect(Collectors.joining("  ", INDENT, ""));
  }

  private List<String> later() {
    List<String> lines = new ArrayList<>();
    for (Stretch s : explanation.stretches()) {
      int others = s.rows() - 1;
      if (s.by().isEmpty()) {
        lines.add(layers(s) + " were never computed for this token: the text ended before.");
      } else if (s.by().getAsInt() != explanation.number()) {
        lines.add(
            "%s were computed later, with token %d, in a pass over %d tokens."
                .formatted(layers(s), s.by().getAsInt(), s.rows()));
      } else if (others > 0) {
        lines.add(
            "%s were computed for %d more %s, left from before."
                .formatted(layers(s), others, others == 1 ? "token" : "tokens"));
      }
    }
    if (lines.isEmpty()) {
      lines.add("No layer was left for later.");
    }
    if (explanation.number() == 1 && !explanation.exits().isEmpty()) {
      lines.add("A prompt is read at full depth: no exit is evaluated for the token after it.");
    }
    return lines;
  }

  private static String layers(Stretch s) {
    return s.first() == s.last()
        ? "Layer %d".formatted(s.first())
        : "Layers %d to %d".formatted(s.first(), s.last());
  }

  /** The kernels of a layer, once for all layers that run the same on weights of the same types. */
  private List<String> kernelsOfLayers() {
    Map<List<String>, List<LayerRun>> alike = new LinkedHashMap<>();
    for (LayerRun run : explanation.layers()) {
      if (run.by().isPresent()) {
        List<String> signature =
            withoutKeptState(run.kernels()).stream().map(k -> k.kernel() + weights(k)).toList();
        alike.computeIfAbsent(signature, _ -> new ArrayList<>()).add(run);
      }
    }
    List<String> lines = new ArrayList<>();
    for (List<LayerRun> runs : alike.values()) {
      LayerRun first = runs.getFirst();
      lines.add("");
      lines.add("Kernels of layer %d%s:".formatted(first.layer(), alike(runs.size() - 1)));
      lines.add(KERNEL.formatted("kernel", "reads", "weights", "writes", "µs"));
      for (KernelUse use : withoutKeptState(first.kernels())) {
        lines.add(
            KERNEL.formatted(
                use.kernel(),
                shapes(use.shapes().in()),
                clipped(weights(use), SHOWN_WEIGHTS),
                shapes(use.shapes().out()),
                time(use.nanos())));
      }
    }
    return lines;
  }

  private static String alike(int more) {
    return switch (more) {
      case 0 -> "";
      case 1 -> "; 1 more layer runs the same";
      default -> "; %d more layers run the same".formatted(more);
    };
  }

  /** Behind the layers before an exit their result is kept for those above it. */
  private static List<KernelUse> withoutKeptState(List<KernelUse> kernels) {
    int end = kernels.size();
    while (end > 0 && kernels.get(end - 1).kernel().equals("copy")) {
      end--;
    }
    return kernels.subList(0, end);
  }

  private static String shapes(List<List<Integer>> shapes) {
    return shapes.stream()
        .map(s -> s.stream().map(String::valueOf).collect(Collectors.joining("x")))
        .collect(Collectors.joining(" "));
  }

  /** The names within their module, and the types. */
  private static String weights(KernelUse use) {
    String names =
        use.weights().stream()
            .map(w -> w.name().replaceFirst("\\.weight$", "").replaceFirst("^.*\\.", ""))
            .collect(Collectors.joining(" "));
    return (names + " " + types(use)).strip();
  }

  private static String types(KernelUse use) {
    return use.weights().stream()
        .map(w -> w.type().name())
        .distinct()
        .collect(Collectors.joining(" "));
  }

  /** The kernels that read matrices or the cache, with their types. */
  private static String products(List<KernelUse> kernels) {
    Map<String, Set<String>> types = new LinkedHashMap<>();
    for (KernelUse use : kernels) {
      for (WeightUse w : use.weights()) {
        if (w.shape().size() > 1) {
          types.computeIfAbsent(use.kernel(), _ -> new LinkedHashSet<>()).add(w.type().name());
        }
      }
      use.cache()
          .ifPresent(
              c ->
                  types
                      .computeIfAbsent(use.kernel(), _ -> new LinkedHashSet<>())
                      .add(c.type().name()));
    }
    return types.entrySet().stream()
        .map(e -> e.getKey() + " " + String.join("/", e.getValue()))
        .collect(Collectors.joining(", "));
  }

  private static String time(long nanos) {
    return String.format(Locale.ROOT, "%,.1f", nanos * 1e-3);
  }

  private static String bytes(long bytes) {
    return String.format(Locale.ROOT, "%,.1f KiB", bytes / 1024.0);
  }

  private static String clipped(String text, int width) {
    return text.length() <= width ? text : text.substring(0, width - 3) + "...";
  }
}
