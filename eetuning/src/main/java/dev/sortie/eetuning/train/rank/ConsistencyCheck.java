package dev.sortie.eetuning.train.rank;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Checks that all ranks do the same work. */
public record ConsistencyCheck(ProcessGroups groups) {

  /**
   * A collective call.
   *
   * @param fingerprint what decides the result
   * @param kernels sets differ in their last bits, so that all ranks must have one
   * @throws InputException on all ranks that differ from rank 0, with what it is
   */
  public void check(Map<String, Object> fingerprint, Kernels kernels) {
    if (groups.mesh().world() == 1) {
      return;
    }
    Map<String, Object> all = new LinkedHashMap<>(fingerprint);
    all.put("kernels", kernels.name());
    List<String> mine = new ArrayList<>();
    all.forEach((field, value) -> mine.add(hash(field + Json.compact(value))));
    GatheredHashes table = new GatheredHashes(mine.size());
    if (groups.leads()) {
      for (int i = 0; i < mine.size(); i++) {
        table.put(i, mine.get(i));
      }
    }
    List<String> leaders = table.merged(groups);
    int i = 0;
    for (Map.Entry<String, Object> field : all.entrySet()) {
      if (!mine.get(i).equals(leaders.get(i))) {
        throw new InputException(
            "rank %d has %s %s, rank 0 another; start all ranks with the same command, files and kernels"
                .formatted(groups.rank().value(), field.getKey(), field.getValue()));
      }
      i++;
    }
  }

  private static String hash(String text) {
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
