package dev.sortie.eetuning.train.audit;

import dev.sortie.eetuning.train.rank.GatheredNames;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A folder for the files of a replay, which the first rank makes and deletes.
 *
 * @param path the same on all ranks
 */
public record ReplayFolder(Path path, ProcessGroups groups) implements AutoCloseable {

  /** A new folder below another one. A collective call. */
  public static ReplayFolder in(Path parent, ProcessGroups groups) {
    List<String> made = groups.leads() ? List.of(made(parent).toString()) : List.of();
    return new ReplayFolder(Path.of(GatheredNames.of(groups, made).getFirst()), groups);
  }

  private static Path made(Path parent) {
    try {
      return Files.createTempDirectory(parent, ".audit-replay-");
    } catch (IOException e) {
      throw new InputException(
          "%s: no folder can be made here for the replay: %s; give --work DIR"
              .formatted(parent, InputFiles.reason(e)),
          e);
    }
  }

  @Override
  public void close() {
    if (groups.leads()) {
      AtomicFiles.delete(path);
    }
  }
}
