package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.json.Json;
import dev.sortie.parallel.shard.TensorParallel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** What decides a run's result, by name: a run is resumed only from a checkpoint of the same. */
public final class Fingerprint {
  private static final String SHARES = "tp";
  private static final String SHARES_TOKENS = "sequence_parallel";

  /** Fixes which windows are trained on and in which order; earlier versions left it out. */
  private static final String HELD_OUT = "held_out_windows";

  private Fingerprint() {}

  /** Adds what is trained on. */
  public static void addData(Map<String, Object> fingerprint, TokenSource data) {
    fingerprint.put("seq_len", data.length());
    fingerprint.put("data", data.fingerprint());
    fingerprint.put(HELD_OUT, data.validationCount());
  }

  /** The same as earlier versions had it, and audit records, which tell the data of each step. */
  public static Map<String, Object> withoutHeldOut(Map<String, Object> fingerprint) {
    Map<String, Object> other = new LinkedHashMap<>(fingerprint);
    other.remove(HELD_OUT);
    return other;
  }

  /** Adds how many ranks share the weights, if some do: sums have another order then. */
  public static void addShares(Map<String, Object> fingerprint, Sharding sharding) {
    if (sharding instanceof TensorParallel tp) {
      addShares(fingerprint, tp.group().size(), tp.sequence());
    }
  }

  private static void addShares(Map<String, Object> fingerprint, int tp, boolean sequence) {
    fingerprint.put(SHARES, tp);
    fingerprint.put(SHARES_TOKENS, sequence);
  }

  /**
   * The same with another number of ranks that share the weights.
   *
   * @param sequence whether they share out the tokens too
   */
  static Map<String, Object> withShares(Map<String, Object> fingerprint, int tp, boolean sequence) {
    Map<String, Object> other = new LinkedHashMap<>(fingerprint);
    other.remove(SHARES);
    other.remove(SHARES_TOKENS);
    if (tp > 1) {
      addShares(other, tp, sequence);
    }
    return other;
  }

  /**
   * Whether both are of the same run.
   *
   * @param then as JSON keeps it
   */
  static boolean isSame(Map<String, Object> then, Map<String, Object> now) {
    Map<String, Object> known = asKnown(then, now);
    return Json.compact(new TreeMap<>(then)).equals(Json.compact(new TreeMap<>(known)));
  }

  /** What the version that wrote {@code then} would have written of {@code now}. */
  private static Map<String, Object> asKnown(Map<String, Object> then, Map<String, Object> now) {
    return then.containsKey(HELD_OUT) ? now : withoutHeldOut(now);
  }

  /**
   * Refuses a run that would not end as the one did that it resumes.
   *
   * @param checkpoint where that was kept
   * @param then of it, as JSON keeps it
   * @param job of the run that resumes
   */
  static void check(Path checkpoint, Map<String, Object> then, Map<String, Object> job) {
    Map<String, Object> now = asKnown(then, job);
    // fields that both have come first: what is absent on one side follows from them
    now.forEach(
        (field, value) -> {
          // compared as JSON, which is how the old value was kept
          if (then.containsKey(field)
              && !Json.compact(then.get(field)).equals(Json.compact(value))) {
            throw new InputException(
                "%s: this run was begun with %s %s, now it is %s; use the same or give another --out"
                    .formatted(checkpoint, field, shown(then.get(field)), value));
          }
        });
    then.forEach(
        (field, value) -> {
          if (!now.containsKey(field)) {
            throw new InputException(
                "%s: this run was begun with %s %s, now there is none; use the same or give another --out"
                    .formatted(checkpoint, Printable.line(field), shown(value)));
          }
        });
    now.forEach(
        (field, value) -> {
          if (!then.containsKey(field)) {
            throw new InputException(
                "%s: this run was begun without %s '%s', or by a version that has none and ends elsewhere; do without it, give another --out, or finish it with that version"
                    .formatted(checkpoint, field, value));
          }
        });
  }

  /** What a checkpoint says, which may come from anywhere. */
  private static String shown(Object value) {
    return Printable.line(String.valueOf(value));
  }
}
