package dev.sortie.eetuning.serve.metric;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counts by label. Thread-safe; labels must come from a bounded set. */
final class Tally {
  private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();

  void add(String label, long count) {
    counts.computeIfAbsent(label, _ -> new LongAdder()).add(count);
  }

  /** All counts so far. */
  SortedMap<String, Long> counts() {
    SortedMap<String, Long> all = new TreeMap<>();
    counts.forEach((label, count) -> all.put(label, count.sum()));
    return all;
  }
}
