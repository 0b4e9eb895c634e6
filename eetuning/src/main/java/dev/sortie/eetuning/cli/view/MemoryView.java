package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.train.DryRun;
import dev.sortie.eetuning.train.RankMemory;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.AvailableMemory;
import dev.sortie.parallel.mesh.Coordinates;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Mesh;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What {@code --dry-run} prints: the memory of each rank, all ranks being on this machine. */
public record MemoryView(DryRun plan, AvailableMemory available) {
  private static final String ROW = "%4s %5s %9s %9s %9s %11s %9s %6s %9s %12s%n";

  /** Prints what a run would take on each of its ranks. */
  public static void show(DryRun plan, boolean json) {
    MemoryView view = new MemoryView(plan, AvailableMemory.now());
    if (json) {
      view.printJson(System.out);
    } else {
      view.print(System.out);
    }
  }

  private void print(PrintStream out) {
    out.printf(
        ROW,
        "rank",
        "stage",
        "weights",
        "exits",
        "optimizer",
        "activations",
        "buffers",
        "JVM",
        "total",
        "micro-batch");
    Mesh mesh = plan.mesh();
    long each = available.bytes() / mesh.world();
    for (int rank = 0; rank < mesh.world(); rank++) {
      Coordinates at = mesh.coordinates(new GlobalRank(rank));
      RankMemory m = plan.of(at);
      out.printf(
          ROW,
          rank,
          at.pp(),
          mib(m.weights()),
          mib(m.exits()),
          mib(m.optimizer()),
          mib(m.activations()),
          mib(m.buffers()),
          mib(m.jvm()),
          mib(m.total()),
          "up to " + plan.largestMicroBatch(at, each));
    }
    out.printf(
        Locale.ROOT,
        "MiB; micro-batch: the largest for which a rank takes its share of what is available, %s MiB of %s (%s)%n",
        mib(each),
        mib(available.bytes()),
        available.origin());
  }

  private void printJson(PrintStream out) {
    Mesh mesh = plan.mesh();
    List<Map<String, Object>> ranks = new ArrayList<>();
    for (int rank = 0; rank < mesh.world(); rank++) {
      Coordinates at = mesh.coordinates(new GlobalRank(rank));
      RankMemory m = plan.of(at);
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("rank", rank);
      one.put("stage", at.pp());
      one.put("weights_bytes", m.weights());
      one.put("in_place_bytes", m.inPlace());
      one.put("exits_bytes", m.exits());
      one.put("optimizer_bytes", m.optimizer());
      one.put("activations_bytes", m.activations());
      one.put("buffers_bytes", m.buffers());
      one.put("jvm_bytes", m.jvm());
      one.put("total_bytes", m.total());
      one.put("largest_micro_batch", plan.largestMicroBatch(at, available.bytes() / mesh.world()));
      ranks.add(one);
    }
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("ranks", ranks);
    root.put("available_bytes", available.bytes());
    out.println(Json.compact(root));
  }

  private static String mib(long bytes) {
    return String.format(Locale.ROOT, "%,d", bytes + (1 << 19) >> 20);
  }
}
