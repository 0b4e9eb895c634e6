package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.train.LossHistory;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.eetuning.train.rank.GatheredHashes;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.InputException;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Saves the checkpoints of a run and finds the newest, {@code OUT/checkpoints/step-000100/}: {@code
 * state.safetensors} and {@code state.json}, which names the hash of the tensors. The folder gets
 * its name when all of it is on the disk ({@link CheckpointFolder}), so a checkpoint is whole or it
 * is none: after a kill at any moment the newest whole one is found. The last ones are kept.
 *
 * <p>Of several ranks each writes what it answers for, {@code state-00001-of-00002.safetensors}: a
 * pipeline stage its tensors, ranks that share weights their parts of them, replicas that share the
 * optimiser's moments their rows of them. Rank 0 writes the JSON, once all files are on the disk,
 * with the hash of each. {@link ShardReader} finds elements whatever file they are in, so another
 * number of ranks may resume.
 */
public final class Checkpoints {
  /** Their folder within that of a run. */
  public static final String FOLDER = "checkpoints";

  private static final CheckpointListener LAST_ONLY =
      new CheckpointListener() {
        @Override
        public void skipped(String line) {
          throw new InputException(line + "; run the same command again");
        }
      };

  private final CheckpointFolder folder;
  private final ProcessGroups groups;
  private final int keep;
  private final CheckpointListener listener;
  private OptionalInt kept = OptionalInt.empty();

  /**
   * Whether a run has checkpoints, whole or not.
   *
   * @param out folder of the run
   */
  public static boolean begun(Path out) {
    return !CheckpointFolder.of(out).list().isEmpty();
  }

  /**
   * @param out folder of the run
   * @param keep how many of the last ones stay, at least 1
   * @param listener is told what is done here
   */
  public Checkpoints(Path out, ProcessGroups groups, int keep, CheckpointListener listener) {
    this.folder = CheckpointFolder.of(out);
    this.groups = groups;
    this.keep = keep;
    this.listener = listener;
  }

  /** Saves what all ranks have. A collective call. */
  public void save(int step, TrainingJob job, LossHistory history) {
    Saving saving = begin(step, job, job.parts(), history);
    saving.write();
    saving.finish();
  }

  /**
   * Begins to save. A collective call.
   *
   * @param parts what this rank has; must stay as they are until they are written
   */
  Saving begin(int step, TrainingJob job, Map<String, ShardedTensor> parts, LossHistory history) {
    listener.saving(step, CheckpointListener.Moment.BEGIN);
    return new Saving(step, parts, Checkpoint.describe(step, job.fingerprint(), history));
  }

  /** A checkpoint that is being saved. It describes the run as it was when that began. */
  final class Saving {
    private final int step;
    private final Path target;
    private final Map<String, ShardedTensor> parts;
    private final Map<String, Object> description;
    private final int shards = groups.mesh().world();
    private String hash;

    private Saving(int step, Map<String, ShardedTensor> parts, Map<String, Object> description) {
      this.step = step;
      this.parts = parts;
      this.description = description;
      this.target = folder.begin(step);
    }

    /** Writes this rank's file. Not a collective call; any thread may make it. */
    void write() {
      Path tensors = target.resolve(CheckpointNames.ofShard(groups.rank().value(), shards));
      listener.saving(step, CheckpointListener.Moment.FOLDER_MADE);
      hash =
          ShardWriter.write(
              tensors,
              parts,
              () -> listener.saving(step, CheckpointListener.Moment.SHARD_HALF_WRITTEN));
      listener.saving(step, CheckpointListener.Moment.SHARD_WRITTEN);
    }

    /** Ends when the checkpoint is whole, after {@link #write}. A collective call. */
    void finish() {
      GatheredHashes hashes = new GatheredHashes(shards);
      hashes.put(groups.rank().value(), hash);
      List<String> all = hashes.merged(groups);
      listener.saving(step, CheckpointListener.Moment.ALL_SHARDS_WRITTEN);
      if (groups.leads()) {
        Map<String, String> files = new LinkedHashMap<>();
        for (int i = 0; i < shards; i++) {
          files.put(CheckpointNames.ofShard(i, shards), all.get(i));
        }
        new ShardReader(target, files.keySet()).close(); // an element missing or twice is refused
        Checkpoint.write(target, description, files);
        listener.saving(step, CheckpointListener.Moment.DESCRIBED);
        folder.place(step);
        listener.saving(step, CheckpointListener.Moment.NAMED);
        folder.nameLatest(step);
        folder.keep(keep, step);
      }
      kept = OptionalInt.of(step);
      listener.saving(step, CheckpointListener.Moment.END);
    }
  }

  /**
   * The newest checkpoint whose files are whole, as rank 0 finds it. One that is not is what a kill
   * in the middle of a save leaves, or a failing disk: it is named and an earlier one is taken. A
   * collective call.
   *
   * @param job that resumes: of a checkpoint of the same run the losses must be its own
   */
  public Optional<Checkpoint> newest(TrainingJob job) {
    return newest(checkpoint -> checkpoint.checkLosses(job));
  }

  private Optional<Checkpoint> newest(Consumer<Checkpoint> check) {
    Optional<Checkpoint> mine = groups.leads() ? newestWhole(check) : Optional.empty();
    int step = (int) groups.fromLeader(mine.map(c -> c.step() + 1).orElse(0)) - 1;
    kept = step < 0 ? OptionalInt.empty() : OptionalInt.of(step);
    if (step < 0 || groups.leads()) {
      return mine;
    }
    Path path = folder.checkpoint(step);
    if (!Files.exists(path.resolve(Checkpoint.DESCRIPTION))) {
      throw new InputException(
          path
              + ": rank 0 resumes from here, rank "
              + groups.rank().value()
              + " does not see it; --out must be in a folder that all ranks share");
    }
    return Optional.of(Checkpoint.read(path, step));
  }

  /** Steps of the checkpoints that are there, ascending; one may be damaged. */
  public List<Integer> steps() {
    return folder.list().stream().map(CheckpointFolder::step).toList();
  }

  /** Whether the checkpoint after so many steps is there, and not half-deleted. */
  public boolean has(int step) {
    return Files.exists(folder.checkpoint(step).resolve(Checkpoint.DESCRIPTION));
  }

  /**
   * The checkpoint after so many steps.
   *
   * @throws InputException if it is not whole
   */
  public Checkpoint at(int step) {
    Path path = folder.checkpoint(step);
    Checkpoint found = Checkpoint.read(path, step);
    found
        .fault()
        .ifPresent(
            fault -> {
              throw new InputException(path + ": this checkpoint is not whole: " + fault);
            });
    return found;
  }

  /** The step of the newest whole checkpoint, as far as one was found or saved here. */
  public OptionalInt kept() {
    return kept;
  }

  private Optional<Checkpoint> newestWhole(Consumer<Checkpoint> check) {
    for (Path p : folder.list().reversed()) {
      String fault;
      try {
        Checkpoint checkpoint = Checkpoint.read(p, CheckpointFolder.step(p));
        check.accept(checkpoint);
        Optional<String> found = checkpoint.fault();
        if (found.isEmpty()) {
          return Optional.of(checkpoint);
        }
        fault = found.get();
      } catch (InputException e) {
        fault = e.getMessage();
      }
      listener.skipped(p + ": this checkpoint is not whole and is left aside: " + fault);
    }
    return Optional.empty();
  }

  /**
   * Reads tensors of the newest checkpoint of a run that is done; an earlier one would give others.
   *
   * @param out folder of the run
   * @param tensors by their names in checkpoints
   * @throws InputException if there is no whole checkpoint of such a run
   */
  public static void readNewest(Path out, Map<String, ShardedTensor> tensors, Kernels kernels) {
    try (ShardReader shards = newest(out, LAST_ONLY).open()) {
      shards.restore(tensors, kernels);
    }
  }

  /**
   * The newest whole checkpoint of a run that nobody continues now.
   *
   * @param out folder of the run
   * @throws InputException if there is none
   */
  static Checkpoint newest(Path out, CheckpointListener listener) {
    if (!Files.isDirectory(out)) {
      throw new InputException(out + ": no such folder; name the folder of a run");
    }
    return new Checkpoints(out, ProcessGroups.single(), 1, listener) // saves none
        .newest(checkpoint -> {})
        .orElseThrow(() -> new InputException(out + ": has no whole checkpoint"));
  }

  /** Restores the job's tensors and returns the history. */
  public static LossHistory restore(Checkpoint from, TrainingJob job, Kernels kernels) {
    Fingerprint.check(from.path(), from.fingerprint(), job.fingerprint());
    try (ShardReader shards = from.open()) {
      shards.restore(job.parts(), kernels);
    }
    job.restored();
    return LossHistory.read(from.description(), job.lossNames(), from.step());
  }

  /**
   * Deletes what a kill left of what was being written, once all ranks have accepted what the
   * folder holds. A collective call: nobody writes before it is done.
   */
  public void deleteTemporaries() {
    groups.barrier();
    if (groups.leads()) {
      folder.deleteTemporaries();
    }
    groups.barrier();
  }
}
