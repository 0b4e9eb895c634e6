package dev.sortie.benchmarks;

import dev.sortie.eetuning.eval.SourceRevision;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonLines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Keeps results as data: a JSON object per line, with the commit that was measured. */
final class Recorder {
  /** The launcher sets it to the folder of the sources. */
  private static final String ROOT = "sortie.root";

  private Recorder() {}

  /** The folder of the sources. */
  static Path root() {
    return Path.of(System.getProperty(ROOT, ".")).toAbsolutePath();
  }

  /** The file in the tree. */
  static Path defaultFile() {
    return root().resolve("benchmarks").resolve("results.jsonl");
  }

  /** Appends one line. */
  static void append(Path file, Map<String, Object> result) {
    Map<String, Object> line = new LinkedHashMap<>(result);
    line.put("commit", SourceRevision.commit());
    try {
      JsonLines.append(file, line);
    } catch (IOException e) {
      throw new InputException(
          "--record "
              + file
              + " cannot be written ("
              + e
              + "); give a file in a folder that exists",
          e);
    }
  }
}
