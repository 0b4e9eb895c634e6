package dev.sortie.eetuning.train.stage;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.eetuning.train.rank.ConsistencyCheck;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Measured costs of the stages of a run, the same on all ranks. They are kept in the run's folder,
 * so that a resumed run is cut as it was.
 *
 * @param out folder of the run
 */
record StageCostCache(Path out, ProcessGroups groups, Kernels kernels) {
  private static final String FILE = "stage-split.json";
  private static final String OF = "of";
  private static final String SECONDS = "seconds";

  /**
   * Those that the run began with, if they are of the same work, or the mean of what its ranks
   * measure now, at the same time, as they will work; the counted ones if some rank has found none.
   * The same bits on all ranks. A collective call.
   *
   * @param of what the costs depend on; ranks that differ in it are refused
   * @param counted the costs by counted work
   * @param measure this rank's costs, if it finds some
   */
  StageCosts measured(
      Map<String, Object> of, StageCosts counted, Supplier<Optional<StageCosts>> measure) {
    new ConsistencyCheck(groups).check(of, kernels);
    Path file = out.resolve(FILE);
    double[] known = groups.leads() ? known(file, of) : new double[0];
    int count = (int) groups.fromLeader(known.length);
    if (count > 0) {
      return StageCosts.of(groups.merge(groups.leads() ? known : new double[count]));
    }
    Optional<StageCosts> found = measure.get();
    if (groups.any(found.isEmpty())) {
      return counted;
    }
    double[] mine = found.get().numbers();
    int ranks = groups.mesh().world();
    double[] all = new double[ranks * mine.length];
    System.arraycopy(mine, 0, all, groups.rank().value() * mine.length, mine.length);
    all = groups.merge(all);
    double[] mean = new double[mine.length];
    for (int i = 0; i < all.length; i++) {
      mean[i % mean.length] += all[i] / ranks;
    }
    StageCosts costs = StageCosts.of(mean);
    if (groups.leads()) {
      Folders.create(out);
      Map<String, Object> root = new LinkedHashMap<>();
      root.put(OF, of);
      root.put(SECONDS, costs.describe());
      Json.write(file, root);
    }
    return costs;
  }

  /** The numbers in a run's file; none where there is no such file, or it is of other work. */
  private static double[] known(Path file, Map<String, Object> of) {
    if (!Files.exists(file)) {
      return new double[0];
    }
    JsonObject root = Json.read(file);
    return Json.compact(root.getObject(OF).fields()).equals(Json.compact(of))
        ? StageCosts.read(root.getObject(SECONDS)).numbers()
        : new double[0];
  }
}
