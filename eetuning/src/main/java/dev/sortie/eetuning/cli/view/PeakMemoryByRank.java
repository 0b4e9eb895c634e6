package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.host.PeakMemory;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The most memory that each rank has had until the end of training.
 *
 * @param bytes by rank
 */
public record PeakMemoryByRank(List<Long> bytes) {

  /** Of all ranks. A collective call. */
  public static PeakMemoryByRank of(ProcessGroups groups) {
    return new PeakMemoryByRank(groups.gather(PeakMemory.now().bytes()));
  }

  /** Says this rank's now and, where there are several, those of all. */
  public void say(TrainingView view) {
    view.say(PeakMemory.now().describe());
    if (bytes.size() > 1) {
      view.say(describe());
    }
  }

  /** One line for people. */
  String describe() {
    return "peak of each rank until the end of training, MiB: "
        + bytes.stream().map(b -> String.valueOf(b >> 20)).collect(Collectors.joining(", "));
  }

  /** Adds them to a result where there are several. */
  public void addTo(Map<String, Object> result) {
    if (bytes.size() > 1) {
      result.put("peak_resident_bytes_by_rank", bytes);
    }
  }
}
