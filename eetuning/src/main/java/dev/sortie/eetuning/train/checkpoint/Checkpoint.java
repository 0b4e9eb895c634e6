package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.train.LossHistory;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * A checkpoint that was saved. It may be damaged: see {@link #fault}.
 *
 * @param step steps done
 * @param path its folder
 * @param description its JSON
 */
public record Checkpoint(int step, Path path, JsonObject description) {
  /** Name of the file that makes a checkpoint of a folder. */
  static final String DESCRIPTION = "state.json";

  private static final String STEP = "step";
  private static final String FILES = "files";
  private static final String FINGERPRINT = "fingerprint";

  /**
   * Reads the description of the one in a folder, all of it: what is accepted here can be resumed
   * from.
   *
   * @param step that the folder's name says
   * @throws InputException if a field is not as {@link #describe} writes it
   */
  static Checkpoint read(Path folder, int step) {
    JsonObject d = Json.read(folder.resolve(DESCRIPTION), JsonLimits.DATA);
    Checkpoint found = new Checkpoint(d.getInt(STEP, step, step), folder, d);
    if (found.files().isEmpty()) {
      throw d.error(FILES, "at least one file");
    }
    found.fingerprint();
    LossHistory.read(d, LossHistory.names(d), step);
    return found;
  }

  /**
   * A description of the state of a run.
   *
   * @return which wants files
   */
  static Map<String, Object> describe(
      int step, Map<String, Object> fingerprint, LossHistory history) {
    Map<String, Object> description = new LinkedHashMap<>();
    description.put(STEP, step);
    description.put(FILES, Map.of());
    description.put(FINGERPRINT, fingerprint);
    description.putAll(history.describe());
    return description;
  }

  /**
   * Writes a description, which makes a checkpoint of a folder that has the files.
   *
   * @param files the hash of each by its name
   */
  static void write(Path folder, Map<String, Object> description, Map<String, String> files) {
    Map<String, Object> root = new LinkedHashMap<>(description);
    root.put(FILES, files);
    AtomicFiles.write(
        folder.resolve(DESCRIPTION), Json.compact(root).getBytes(StandardCharsets.UTF_8));
  }

  /** Writes this one's description next to other files, for a run with another fingerprint. */
  void writeAgain(Path folder, Map<String, Object> fingerprint, Map<String, String> files) {
    Map<String, Object> root = new LinkedHashMap<>(description.fields());
    root.put(FINGERPRINT, fingerprint);
    write(folder, root, files);
  }

  /** What decides the result of its run. */
  Map<String, Object> fingerprint() {
    return description.getObject(FINGERPRINT).fields();
  }

  /**
   * Refuses one of the job's run that has not the job's losses. One of another run has others.
   *
   * @throws InputException if a loss is missing
   */
  void checkLosses(TrainingJob job) {
    if (Fingerprint.isSame(fingerprint(), job.fingerprint())) {
      LossHistory.read(description, job.lossNames(), step);
    }
  }

  /** The hash of each tensor file by name; earlier versions wrote one file. */
  SequencedMap<String, String> files() {
    SequencedMap<String, String> files = new LinkedHashMap<>();
    if (description.fields().containsKey(FILES)) {
      JsonObject named = description.getObject(FILES);
      for (String name : named.fields().keySet()) {
        if (!CheckpointNames.isShard(name)) {
          throw named.error(name, "a name like " + CheckpointNames.ofShard(0, 2));
        }
        files.put(name, named.getString(name));
      }
    } else {
      files.put(CheckpointNames.ofShard(0, 1), description.getString("sha256"));
    }
    return files;
  }

  /** Its tensors, to be closed; files in which an element is missing or there twice are refused. */
  ShardReader open() {
    return new ShardReader(path, files().keySet());
  }

  /** What is wrong with the files; empty if nothing. */
  Optional<String> fault() {
    for (Map.Entry<String, String> file : files().entrySet()) {
      String hash = Sha256.of(path.resolve(file.getKey()));
      if (!hash.equals(file.getValue())) {
        return Optional.of(
            "%s has SHA-256 %s, not %s"
                .formatted(file.getKey(), hash, Printable.line(file.getValue())));
      }
    }
    open().close();
    return Optional.empty();
  }
}
