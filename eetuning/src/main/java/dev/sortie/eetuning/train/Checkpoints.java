package dev.sortie.eetuning.train;

import dev.sortie.eetuning.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.AtomicFiles;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.JsonLimits;
import dev.sortie.nn.format.JsonObject;
import dev.sortie.nn.format.Sha256;
import dev.sortie.tensor.kernel.Kernels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * Checkpoints of a run, {@code OUT/checkpoints/step-000100/}: {@code state.safetensors} and {@code
 * state.json}. The JSON is written last and names the hash of the tensors, so a checkpoint is whole
 * or it is none: after a kill at any moment the newest whole one is found. The last ones are kept.
 *
 * <p>Of several ranks each writes what it answers for, {@code state-00001-of-00002.safetensors}: a
 * pipeline stage its tensors, ranks that share weights their parts of them, replicas that share the
 * optimiser's moments their rows of them. Rank 0 writes the JSON, once all files are on the disk,
 * with the hash of each. {@link ShardReader} finds elements whatever file they are in, so another
 * number of ranks may go on.
 */
final class Checkpoints {
  /** Name of the folder of all checkpoints of a run. */
  static final String FOLDER = "checkpoints";

  private static final String FINGERPRINT = "fingerprint";
  private static final TrainLoop.Listener LAST_ONLY =
      new TrainLoop.Listener() {
        @Override
        public void leftAside(String line) {
          throw new InputException(line + "; run the same command again");
        }
      };

  private static final String FILES = "files";
  private static final String DESCRIPTION = "state.json";

  /** Of a fingerprint: how many ranks share the weights. */
  static final String SHARES = "tp";

  /** Of a fingerprint: whether they share out the tokens too. */
  static final String SHARES_TOKENS = "sequence_parallel";

  private final Path folder;
  private final Team team;
  private final int keep;
  private final TrainLoop.Listener listener;

  /**
   * @param out folder of the run
   * @param keep how many of the last ones stay, at least 1
   * @param listener hears of what is done here
   */
  Checkpoints(Path out, Team team, int keep, TrainLoop.Listener listener) {
    this.folder = out.resolve(FOLDER);
    this.team = team;
    this.keep = keep;
    this.listener = listener;
  }

  /**
   * A checkpoint found.
   *
   * @param step steps done
   * @param path its folder
   * @param description its JSON
   */
  record Found(int step, Path path, JsonObject description) {

    /** The hash of each tensor file by name; earlier versions wrote one file. */
    SequencedMap<String, String> files() {
      SequencedMap<String, String> files = new LinkedHashMap<>();
      if (description.fields().containsKey(FILES)) {
        JsonObject named = description.getObject(FILES);
        for (String name : named.fields().keySet()) {
          if (!ShardNames.isOne(name)) {
            throw named.error(name, "a name like " + ShardNames.of(0, 2));
          }
          files.put(name, named.getString(name));
        }
      } else {
        files.put(ShardNames.of(0, 1), description.getString("sha256"));
      }
      return files;
    }
  }

  /** Saves what all ranks have. A collective call. */
  void save(int step, TrainingJob job, History history) {
    Saving saving = begin(step, job, job.parts(), history);
    saving.write();
    saving.finish();
  }

  /**
   * Begins to save. A collective call.
   *
   * @param parts what this rank has; must stay as they are until they are written
   */
  Saving begin(int step, TrainingJob job, Map<String, StatePart> parts, History history) {
    listener.saving(step, SaveMoment.BEGIN);
    return new Saving(step, job, parts, history);
  }

  /** A checkpoint that is being saved. It describes the run as it was when that began. */
  final class Saving {
    private final int step;
    private final Path target;
    private final Map<String, StatePart> parts;
    private final Map<String, Object> description = new LinkedHashMap<>();
    private final int shards = team.mesh().world();
    private String hash;

    private Saving(int step, TrainingJob job, Map<String, StatePart> parts, History history) {
      this.step = step;
      this.parts = parts;
      this.target = folder.resolve("step-%06d".formatted(step));
      Folders.create(target);
      description.put("step", step);
      description.put(FILES, Map.of());
      description.put(FINGERPRINT, job.fingerprint());
      Map<String, Object> losses = new LinkedHashMap<>();
      history.losses().forEach((name, list) -> losses.put(name, List.copyOf(list)));
      description.put("losses", losses);
      Map<String, Object> validations = new LinkedHashMap<>();
      history.validations().forEach((s, v) -> validations.put(String.valueOf(s), v));
      description.put("validations", validations);
    }

    /** Writes this rank's file. Not a collective call; any thread may make it. */
    void write() {
      Path tensors = target.resolve(ShardNames.of(team.rank().value(), shards));
      listener.saving(step, SaveMoment.FOLDER_MADE);
      hash =
          ShardWriter.write(
              tensors, parts, () -> listener.saving(step, SaveMoment.SHARD_HALF_WRITTEN));
      listener.saving(step, SaveMoment.SHARD_WRITTEN);
    }

    /** Ends when the checkpoint is whole, after {@link #write}. A collective call. */
    void finish() {
      HashTable hashes = new HashTable(shards);
      hashes.put(team.rank().value(), hash);
      List<String> all = hashes.merged(team);
      listener.saving(step, SaveMoment.ALL_SHARDS_WRITTEN);
      if (team.leads()) {
        Map<String, String> files = new LinkedHashMap<>();
        for (int i = 0; i < shards; i++) {
          files.put(ShardNames.of(i, shards), all.get(i));
        }
        checkCoverage(target, files.keySet());
        description.put(FILES, files);
        describe(target, description);
        listener.saving(step, SaveMoment.DESCRIBED);
        // later ones are not whole, or the run would have gone on from them: they do not count
        List<Path> old = list().stream().filter(p -> step(p) <= step).toList();
        old.subList(0, Math.max(0, old.size() - keep)).forEach(Checkpoints::delete);
      }
      listener.saving(step, SaveMoment.END);
    }
  }

  private static void describe(Path target, Map<String, Object> description) {
    AtomicFiles.write(
        target.resolve(DESCRIPTION), Json.compact(description).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Describes a checkpoint that has other files, and is gone on from by another number of ranks
   * that share weights.
   */
  static void describeAgain(
      Path target, Found found, Map<String, String> files, int tp, boolean sequence) {
    Map<String, Object> root = new LinkedHashMap<>(found.description().fields());
    Map<String, Object> fingerprint =
        new LinkedHashMap<>(found.description().getObject(FINGERPRINT).fields());
    fingerprint.remove(SHARES);
    fingerprint.remove(SHARES_TOKENS);
    if (tp > 1) {
      fingerprint.put(SHARES, tp);
      fingerprint.put(SHARES_TOKENS, sequence);
    }
    root.put(FILES, files);
    root.put(FINGERPRINT, fingerprint);
    describe(target, root);
  }

  /**
   * The newest checkpoint whose files are whole, as rank 0 finds it. One that is not is what a kill
   * in the middle of a save leaves, or a failing disk: it is named and an earlier one is taken. A
   * collective call.
   */
  Optional<Found> newest() {
    Optional<Found> mine = team.leads() ? newestWhole() : Optional.empty();
    int step = (int) team.leaders(mine.map(f -> f.step + 1).orElse(0)) - 1;
    if (step < 0 || team.leads()) {
      return mine;
    }
    Path path = folder.resolve("step-%06d".formatted(step));
    if (!Files.exists(path.resolve(DESCRIPTION))) {
      throw new InputException(
          path
              + ": rank 0 goes on from here, rank "
              + team.rank().value()
              + " does not see it; --out must be in a folder that all ranks share");
    }
    return Optional.of(found(path));
  }

  private static Found found(Path path) {
    JsonObject d = Json.read(path.resolve(DESCRIPTION), JsonLimits.DATA);
    return new Found(d.getInt("step", 0, Integer.MAX_VALUE), path, d);
  }

  private Optional<Found> newestWhole() {
    for (Path p : list().reversed()) {
      String fault;
      try {
        Found found = found(p);
        fault = fault(found);
        if (fault == null) {
          return Optional.of(found);
        }
      } catch (InputException e) {
        fault = e.getMessage();
      }
      listener.leftAside(p + ": this checkpoint is not whole and is left aside: " + fault);
    }
    return Optional.empty();
  }

  /** Refuses files in which an element is missing or there twice. */
  private static void checkCoverage(Path folder, Collection<String> files) {
    new ShardReader(folder, files).close();
  }

  /** What is wrong with the files, null if nothing. */
  private static String fault(Found found) {
    for (Map.Entry<String, String> file : found.files().entrySet()) {
      String hash = Sha256.of(found.path.resolve(file.getKey()));
      if (!hash.equals(file.getValue())) {
        return file.getKey() + " has SHA-256 " + hash + ", not " + file.getValue();
      }
    }
    checkCoverage(found.path, found.files().keySet());
    return null;
  }

  /**
   * Reads tensors of the newest checkpoint of a run that is done; an earlier one would give others.
   *
   * @param out folder of the run
   * @param tensors by their names in checkpoints
   * @throws InputException if there is no whole checkpoint of such a run
   */
  static void readNewest(Path out, Map<String, StatePart> tensors, Kernels kernels) {
    Found found =
        new Checkpoints(out, Team.alone(), 1, LAST_ONLY)
            .newest()
            .orElseThrow(() -> new InputException(out + ": has no whole checkpoint"));
    try (ShardReader shards = new ShardReader(found.path, found.files().keySet())) {
      shards.restore(tensors, kernels);
    }
  }

  /** Restores the job's tensors and returns the history. */
  History restore(Found found, TrainingJob job, Kernels kernels) {
    checkFingerprint(found, job.fingerprint());
    try (ShardReader shards = new ShardReader(found.path, found.files().keySet())) {
      shards.restore(job.parts(), kernels);
    }
    job.restored();
    History history = new History(job.lossNames());
    JsonObject losses = found.description().getObject("losses");
    for (int i = 0; i < found.step(); i++) {
      Map<String, Double> step = new LinkedHashMap<>();
      for (String name : job.lossNames()) {
        step.put(name, ((Number) losses.getList(name).get(i)).doubleValue());
      }
      history.add(step);
    }
    JsonObject validations = found.description().getObject("validations");
    for (String step : validations.fields().keySet()) {
      JsonObject v = validations.getObject(step);
      Map<String, Double> values = new LinkedHashMap<>();
      v.fields().forEach((name, x) -> values.put(name, ((Number) x).doubleValue()));
      history.addValidation(Integer.parseInt(step), values);
    }
    return history;
  }

  private static void checkFingerprint(Found found, Map<String, Object> now) {
    Map<String, Object> then = found.description().getObject(FINGERPRINT).fields();
    // fields that both have come first: what is absent on one side follows from them
    now.forEach(
        (field, value) -> {
          // compared as JSON, which is how the old value was kept
          if (then.containsKey(field)
              && !Json.compact(then.get(field)).equals(Json.compact(value))) {
            throw new InputException(
                "%s: this run was begun with %s %s, now it is %s; use the same or give another --out"
                    .formatted(found.path(), field, then.get(field), value));
          }
        });
    then.forEach(
        (field, value) -> {
          if (!now.containsKey(field)) {
            throw new InputException(
                "%s: this run was begun with %s %s, now there is none; use the same or give another --out"
                    .formatted(found.path(), field, value));
          }
        });
    now.forEach(
        (field, value) -> {
          if (!then.containsKey(field)) {
            throw new InputException(
                "%s: this run was begun by a version without %s '%s', which would end elsewhere; give another --out, or finish it with that version"
                    .formatted(found.path(), field, value));
          }
        });
  }

  private static int step(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
  }

  private List<Path> list() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> s = Files.list(folder)) {
      return new ArrayList<>(
          s.filter(p -> p.getFileName().toString().matches("step-\\d{6,9}"))
              .sorted(Comparator.comparingInt(Checkpoints::step))
              .toList());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder, e);
    }
  }

  /** Deletes what a kill left of files that were being written. Nobody may be writing now. */
  void deleteTemporaries() {
    if (team.leads()) {
      list().forEach(Checkpoints::deleteTemporaries);
    }
  }

  private static void deleteTemporaries(Path dir) {
    try (Stream<Path> files = Files.list(dir)) {
      for (Path file : files.filter(AtomicFiles::isTemporary).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new InputException("%s: cannot be cleaned up: %s".formatted(dir, e.getMessage()), e);
    }
  }

  /**
   * Deletes a checkpoint, its description first: what is left of a half-deleted one is not taken
   * for whole.
   */
  private static void delete(Path dir) {
    try {
      Files.deleteIfExists(dir.resolve(DESCRIPTION));
      List<Path> rest;
      try (Stream<Path> files = Files.list(dir)) {
        rest = files.toList();
      }
      for (Path file : rest) {
        Files.delete(file);
      }
      Files.delete(dir);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete the old checkpoint " + dir, e);
    }
  }
}
