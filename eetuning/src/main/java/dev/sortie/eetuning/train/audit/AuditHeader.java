package dev.sortie.eetuning.train.audit;

import dev.sortie.nn.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The first line of a record: which run it is.
 *
 * @param command its name
 * @param options of the command that decide the result, as they were given: the words after each
 * @param settings what decides the result, with hashes of data, model and exits, as checkpoints
 *     have it; which windows are trained on is told by the steps
 * @param kernels name of the kernel set; others differ in their last bits
 * @param tensors names of what is trained, sorted
 * @param start their leaves before the first step
 */
public record AuditHeader(
    String command,
    Map<String, List<String>> options,
    Map<String, Object> settings,
    String kernels,
    List<String> tensors,
    List<String> start) {
  private static final String FORMAT = "format";
  private static final String NAME = "sortie-audit";
  private static final String VERSION = "version";
  private static final int CURRENT = 1;
  private static final String COMMAND = "command";
  private static final String OPTIONS = "options";
  private static final String SETTINGS = "settings";
  private static final String KERNELS = "kernels";
  private static final String TENSORS = "tensors";

  /** The fields of the line. */
  Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put(FORMAT, NAME);
    m.put(VERSION, CURRENT);
    m.put(COMMAND, command);
    m.put(OPTIONS, options);
    m.put(SETTINGS, settings);
    m.put(KERNELS, kernels);
    m.put(TENSORS, tensors);
    Leaves.put(m, start);
    return m;
  }

  /**
   * From a line.
   *
   * @throws dev.sortie.nn.InputException if it is not the first line of a record
   */
  static AuditHeader read(JsonObject line) {
    line.getString(FORMAT, Set.of(NAME));
    line.getInt(VERSION, CURRENT, CURRENT);
    line.refuseUnknown(
        Set.of(
            FORMAT,
            VERSION,
            COMMAND,
            OPTIONS,
            SETTINGS,
            KERNELS,
            TENSORS,
            Leaves.ROOT,
            Leaves.LEAVES));
    JsonObject given = line.getObject(OPTIONS);
    Map<String, List<String>> options = new LinkedHashMap<>();
    given.fields().keySet().forEach(name -> options.put(name, given.getStrings(name)));
    List<String> tensors = line.getStrings(TENSORS);
    if (tensors.isEmpty()) {
      throw line.error(TENSORS, "the name of at least one tensor");
    }
    return new AuditHeader(
        line.getString(COMMAND),
        options,
        line.getObject(SETTINGS).fields(),
        line.getString(KERNELS),
        tensors,
        Leaves.read(line, tensors.size()));
  }

  /** The first thing, apart from the tensors' elements, in which a run differs. */
  Optional<StepEvidence.Difference> difference(AuditHeader now) {
    return settings(now.settings)
        .or(() -> StepEvidence.value("kernel set", kernels, now.kernels))
        .or(() -> StepEvidence.value("command", command, now.command))
        .or(() -> StepEvidence.values("", objects(options), objects(now.options)))
        .or(() -> StepEvidence.value("tensors", tensors, now.tensors));
  }

  private static Map<String, Object> objects(Map<String, List<String>> options) {
    return new LinkedHashMap<>(options);
  }

  /** The first setting that differs. */
  Optional<StepEvidence.Difference> settings(Map<String, Object> now) {
    return StepEvidence.values("", settings, now);
  }
}
