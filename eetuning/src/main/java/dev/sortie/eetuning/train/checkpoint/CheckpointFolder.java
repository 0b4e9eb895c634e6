package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folder of a run's checkpoints. One that is being written has a hidden name, {@code
 * .step-000100.tmp}; when it is whole and on the disk it gets its own, {@code step-000100}, in one
 * step. {@code latest} holds the name that was given last, for people and scripts. Who resumes from
 * a checkpoint looks at the checkpoints themselves: the one named may have been damaged since.
 *
 * @param path where it is
 */
record CheckpointFolder(Path path) {
  /** The file that names the newest checkpoint. */
  static final String LATEST = "latest";

  /** That of a run. */
  static CheckpointFolder of(Path out) {
    return new CheckpointFolder(out.resolve(Checkpoints.FOLDER));
  }

  /** Where a checkpoint is, once it is whole. */
  Path checkpoint(int step) {
    return path.resolve("step-%06d".formatted(step));
  }

  /** Makes the folder in which a checkpoint is written; several ranks may. */
  Path begin(int step) {
    Path written = written(step);
    Folders.create(written);
    return written;
  }

  private Path written(int step) {
    return AtomicFiles.sharedTemporary(checkpoint(step));
  }

  /**
   * Gives a checkpoint its name; all that was written is on the disk. What has the name already was
   * not whole when the run began, or it would have been resumed from there.
   */
  void place(int step) {
    Path target = checkpoint(step);
    delete(target);
    AtomicFiles.moveFolder(written(step), target);
  }

  /** Says which is the newest. */
  void nameLatest(int step) {
    byte[] line = (checkpoint(step).getFileName() + "\n").getBytes(StandardCharsets.UTF_8);
    AtomicFiles.write(path.resolve(LATEST), line);
  }

  /**
   * Deletes all but the last {@code keep} of the checkpoints up to this step. Later ones are not
   * whole, or the run would have resumed from them: they do not count.
   */
  void keep(int keep, int step) {
    List<Path> old = list().stream().filter(p -> step(p) <= step).toList();
    old.subList(0, Math.max(0, old.size() - keep)).forEach(CheckpointFolder::delete);
  }

  /** All checkpoints by step, also damaged ones. */
  List<Path> list() {
    return entries().stream()
        .filter(p -> isCheckpoint(p.getFileName().toString()))
        .sorted(Comparator.comparingInt(CheckpointFolder::step))
        .toList();
  }

  private static boolean isCheckpoint(String name) {
    return name.matches("step-\\d{6,9}");
  }

  /**
   * Deletes what a kill left of what was being written. Nobody may be writing now, and the run must
   * be the folder's own.
   */
  void deleteTemporaries() {
    entries().stream()
        .filter(p -> AtomicFiles.isTemporary(p, name -> isCheckpoint(name) || name.equals(LATEST)))
        .forEach(AtomicFiles::delete);
  }

  private List<Path> entries() {
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.toList();
    } catch (IOException e) {
      throw new InputException("%s: cannot be listed: %s".formatted(path, InputFiles.reason(e)), e);
    }
  }

  /** The step that a checkpoint's name says. */
  static int step(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString().substring("step-".length()));
  }

  /**
   * Deletes a checkpoint, its description first: what is left of a half-deleted one is not taken
   * for whole. Of a link to one the link is deleted.
   */
  private static void delete(Path old) {
    if (Files.isDirectory(old, LinkOption.NOFOLLOW_LINKS)) {
      AtomicFiles.delete(old.resolve(Checkpoint.DESCRIPTION));
    }
    AtomicFiles.delete(old);
  }
}
