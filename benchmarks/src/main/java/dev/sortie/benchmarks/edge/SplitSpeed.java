package dev.sortie.benchmarks.edge;

import dev.sortie.benchmarks.compare.Settings;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.eetuning.decode.edge.LinkType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Measures a split over links. Ways take turns; texts that must be equal are compared.
 *
 * @param types in which states travel, each a way of its own
 */
public record SplitSpeed(SplitModel model, List<LinkType> types, Settings settings) {
  /** Without any distance. */
  private static final SimulatedLink NEAR = new SimulatedLink(0, 10_000);

  private static final String EDGE_ALONE = "edge alone";

  /** Vector code compiles for seconds, and each side has its own. */
  private static final double WARM_SECONDS = 8;

  /** Rows as fields, and their ratios. */
  public record Rows(List<Map<String, Object>> described, List<Double> ratios) {}

  /** Measures the edge alone, and each link. */
  public Rows measure(List<SimulatedLink> links) {
    List<String> names = new ArrayList<>(List.of(EDGE_ALONE));
    links.forEach(l -> names.add(l.name()));
    List<String> chosen = settings.choose(names, n -> n);
    settings.progress().accept("warming up");
    warm(() -> model.split(NEAR, LinkType.F32));
    warm(() -> model.cloudAlone(NEAR));
    List<List<Integer>> full = model.fullDepth();
    List<List<Integer>> oneProcess = model.earlyExit();
    List<SplitRow> rows = new ArrayList<>();
    if (chosen.contains(EDGE_ALONE)) {
      List<Supplier<Written>> side = List.of(model::edgeAlone);
      List<Written> alone = Turns.samples(settings.rounds(), side).getFirst();
      rows.add(row(EDGE_ALONE, alone, List.of(), full, oneProcess));
    }
    for (SimulatedLink link : links) {
      if (chosen.contains(link.name())) {
        settings.progress().accept("measuring " + link.name());
        rows.addAll(measure(link, full, oneProcess));
      }
    }
    return new Rows(
        rows.stream().map(SplitRow::describe).toList(),
        rows.stream().filter(SplitRow::isCompared).map(SplitRow::ratio).toList());
  }

  private List<SplitRow> measure(
      SimulatedLink link, List<List<Integer>> full, List<List<Integer>> oneProcess) {
    List<Supplier<Written>> sides = new ArrayList<>();
    sides.add(() -> model.cloudAlone(link));
    types.forEach(type -> sides.add(() -> model.split(link, type)));
    List<List<Written>> samples = Turns.samples(settings.rounds(), sides);
    List<Written> peer = samples.getFirst();
    SplitModel.same(
        "the cloud alone does not write the text of full depth", peer.getFirst().texts(), full);
    List<SplitRow> rows = new ArrayList<>();
    for (int i = 0; i < types.size(); i++) {
      List<Written> ours = samples.get(i + 1);
      if (types.get(i) == LinkType.F32) {
        SplitModel.same(
            "edge and cloud do not write the text of one process with these exits",
            ours.getFirst().texts(),
            oneProcess);
      }
      rows.add(row(link.name() + ", " + types.get(i).word(), ours, peer, full, oneProcess));
    }
    return rows;
  }

  private static SplitRow row(
      String name,
      List<Written> ours,
      List<Written> peer,
      List<List<Integer>> full,
      List<List<Integer>> oneProcess) {
    Written first = ours.getFirst();
    return new SplitRow(name, ours, peer, first.equalShare(full), first.equalShare(oneProcess));
  }

  private static void warm(Runnable work) {
    long end = System.nanoTime() + (long) (WARM_SECONDS * 1e9);
    while (System.nanoTime() - end < 0) {
      work.run();
    }
  }
}
