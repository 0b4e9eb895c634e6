package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.basis.GroupFactors;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.SharedBasesConverter;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.model.SharedBases.Shared;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What bases that layers share keep of a model's projections.
 *
 * @param before the model
 * @param bases those of the result
 * @param losses of each kind of projection; empty where bases were cut
 */
public record SharedBasesView(
    DecoderConfig before, SharedBases bases, List<GroupFactors.Loss> losses) {

  private long elements() {
    return SharedBasesConverter.elements(before.withBases(bases));
  }

  /** A row for each kind of projection, and the sum. */
  public String table() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(Locale.ROOT, "%-18s %8s %6s %10s%n", "projection", "layers", "rank", "lost"));
    bases
        .projections()
        .forEach(
            (name, s) ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "%-18s %8d %6d %10s%n",
                        name,
                        s.layers(),
                        s.rank(),
                        lost(name))));
    long all = SharedBasesConverter.elements(before);
    return text.append(
            String.format(
                Locale.ROOT,
                "projections have %,d numbers, before %,d (%.3f of them)%n",
                elements(),
                all,
                (double) elements() / all))
        .toString();
  }

  private String lost(String projection) {
    return losses.stream()
        .filter(l -> l.projection().equals(projection))
        .map(l -> String.format(Locale.ROOT, "%.2e", l.lost()))
        .findFirst()
        .orElse("");
  }

  /** The same for JSON. */
  public Map<String, Object> json() {
    List<Map<String, Object>> projections = new ArrayList<>();
    bases.projections().forEach((name, s) -> projections.add(json(name, s)));
    return Json.object(
        "projections",
        projections,
        "elements",
        elements(),
        "elements_before",
        SharedBasesConverter.elements(before));
  }

  private Map<String, Object> json(String name, Shared s) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("projection", name);
    one.put("layers", s.layers());
    one.put("rank", s.rank());
    losses.stream()
        .filter(l -> l.projection().equals(name))
        .forEach(l -> one.put("lost", l.lost()));
    return one;
  }
}
