package dev.sortie.eetuning.train.audit;

import dev.sortie.nn.Printable;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a record says of one step.
 *
 * @param step counted from 1
 * @param data hash of the token ids that the step reads
 * @param position number of the step's first sequence in the run. With the seed it fixes all random
 *     numbers of the step: the order of the data, and which elements dropout drops
 * @param losses by name, as JSON has them
 * @param gradientNorms by name, before clipping
 * @param leaves of the tensors after the step, in the order of their names
 */
record StepEvidence(
    int step,
    String data,
    long position,
    Map<String, Object> losses,
    Map<String, Object> gradientNorms,
    List<String> leaves) {
  private static final String STEP = "step";
  private static final String DATA = "data";
  private static final String POSITION = "position";
  private static final String LOSSES = "losses";
  private static final String NORMS = "gradient_norms";

  /** Where two differ; all of it can be printed, whatever is in a record. */
  record Difference(String what, String recorded, String replayed) {
    private static final int LONGEST_NAME = 200;

    Difference {
      what = Printable.line(what, LONGEST_NAME);
    }

    @Override
    public String toString() {
      return "%s: recorded %s, replayed %s".formatted(what, recorded, replayed);
    }
  }

  /** The fields of its line, but for the link to the line before. */
  Map<String, Object> describe() {
    Map<String, Object> m = new LinkedHashMap<>();
    m.put(STEP, step);
    m.put(DATA, data);
    m.put(POSITION, position);
    m.put(LOSSES, losses);
    m.put(NORMS, gradientNorms);
    Leaves.put(m, leaves);
    return m;
  }

  /**
   * From a line.
   *
   * @param step that it must be
   * @param tensors how many there are
   * @throws dev.sortie.nn.InputException if a field is not as {@link #describe} gives it
   */
  static StepEvidence read(JsonObject line, int step, int tensors) {
    line.refuseUnknown(
        Set.of(
            STEP, DATA, POSITION, LOSSES, NORMS, Leaves.ROOT, Leaves.LEAVES, AuditLine.PREVIOUS));
    return new StepEvidence(
        line.getInt(STEP, step, step),
        line.getString(DATA),
        line.getLong(POSITION, 0, Long.MAX_VALUE),
        line.getObject(LOSSES).fields(),
        line.getObject(NORMS).fields(),
        Leaves.read(line, tensors));
  }

  /** A number for JSON, which has no form for those that are not finite. */
  static Object number(double value) {
    return Double.isFinite(value) ? value : String.valueOf(value);
  }

  /**
   * The first thing in which a replay differs.
   *
   * @param tensors names of the leaves
   */
  Optional<Difference> difference(StepEvidence replayed, List<String> tensors) {
    return value(DATA, data, replayed.data)
        .or(() -> value(POSITION, position, replayed.position))
        .or(() -> values("loss of ", losses, replayed.losses))
        .or(() -> values("gradient norm of ", gradientNorms, replayed.gradientNorms))
        .or(() -> tensors(leaves, replayed.leaves, tensors));
  }

  /** The first tensor whose leaves differ. */
  static Optional<Difference> tensors(
      List<String> recorded, List<String> replayed, List<String> names) {
    for (int i = 0; i < names.size(); i++) {
      Optional<Difference> d = value("tensor " + names.get(i), recorded.get(i), replayed.get(i));
      if (d.isPresent()) {
        return d;
      }
    }
    return Optional.empty();
  }

  /** The first field in which two objects differ. */
  static Optional<Difference> values(
      String prefix, Map<String, Object> recorded, Map<String, Object> replayed) {
    Map<String, Object> all = new LinkedHashMap<>(recorded);
    replayed.forEach(all::putIfAbsent);
    return all.keySet().stream()
        .map(name -> value(prefix + name, recorded.get(name), replayed.get(name)))
        .flatMap(Optional::stream)
        .findFirst();
  }

  /** Compared as JSON, which keeps every bit of a number. */
  static Optional<Difference> value(String what, Object recorded, Object replayed) {
    return Json.compact(recorded).equals(Json.compact(replayed))
        ? Optional.empty()
        : Optional.of(new Difference(what, shown(recorded), shown(replayed)));
  }

  private static String shown(Object value) {
    return value == null ? "nothing" : Json.shown(value);
  }
}
