package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folder of a run's checkpoints, {@code OUT/checkpoints}: one folder for each, by its step.
 *
 * @param path its own
 */
record CheckpointFolder(Path path) {
  private static final String PREFIX = "step-";

  /**
   * Of a run.
   *
   * @param out folder of the run
   */
  static CheckpointFolder of(Path out) {
    return new CheckpointFolder(out.resolve("checkpoints"));
  }

  /** Where the checkpoint after a number of steps is, or would be. */
  Path at(int step) {
    return path.resolve(PREFIX + "%06d".formatted(step));
  }

  private static int step(Path checkpoint) {
    return Integer.parseInt(checkpoint.getFileName().toString().substring(PREFIX.length()));
  }

  /** All of them, the oldest first; some may not be whole. */
  List<Path> list() {
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> s = Files.list(path)) {
      return s.filter(p -> p.getFileName().toString().matches(PREFIX + "\\d{6,9}"))
          .sorted(Comparator.comparingInt(CheckpointFolder::step))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + path, e);
    }
  }

  /**
   * Deletes old ones.
   *
   * @param keep how many stay
   * @param step of the newest; later ones are not whole, or the run would have gone on from them:
   *     they do not count
   */
  void keepLast(int keep, int step) {
    List<Path> old = list().stream().filter(p -> step(p) <= step).toList();
    old.subList(0, Math.max(0, old.size() - keep)).forEach(CheckpointFolder::delete);
  }

  /**
   * Deletes a checkpoint, its description first: what is left of a half-deleted one is not taken
   * for whole.
   */
  private static void delete(Path dir) {
    try {
      Files.deleteIfExists(dir.resolve(Checkpoint.DESCRIPTION));
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

  /** Deletes what a kill left of files that were being written. Nobody may be writing now. */
  void deleteTemporaries() {
    list().forEach(CheckpointFolder::deleteTemporaries);
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
}
