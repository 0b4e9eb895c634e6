package dev.sortie.eetuning.eval;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Points of a sweep that differ in the threshold alone.
 *
 * @param name the strategy, with its exits where several sets of exits were tried
 * @param points by ascending threshold
 */
record SweepSeries(String name, List<SweepPoint> points) {

  /** The sweep in series, in the order in which they first occur. */
  static List<SweepSeries> of(List<SweepPoint> sweep) {
    Map<String, Long> sets =
        sweep.stream()
            .collect(
                Collectors.groupingBy(
                    SweepPoint::strategy,
                    Collectors.mapping(
                        SweepPoint::activeExits,
                        Collectors.collectingAndThen(
                            Collectors.toSet(), found -> (long) found.size()))));
    Map<String, List<SweepPoint>> groups = new LinkedHashMap<>();
    for (SweepPoint point : sweep) {
      String name = point.strategy();
      if (sets.get(name) > 1 && !point.activeExits().isEmpty()) {
        name +=
            point.activeExits().stream()
                .map(String::valueOf)
                .collect(Collectors.joining("+", ", exits ", ""));
      }
      groups.computeIfAbsent(name, key -> new ArrayList<>()).add(point);
    }
    List<SweepSeries> series = new ArrayList<>();
    groups.forEach(
        (name, points) ->
            series.add(
                new SweepSeries(
                    name,
                    points.stream()
                        .sorted(Comparator.comparingDouble(SweepPoint::threshold))
                        .toList())));
    return series;
  }
}
