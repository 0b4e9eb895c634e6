package dev.sortie.benchmarks.compare;

import dev.sortie.benchmarks.peer.LineProcess;
import dev.sortie.benchmarks.peer.Peers;
import dev.sortie.nn.load.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A model that both sides read from the same file.
 *
 * @param name of the case
 * @param type of its matrices
 * @param random whether the file is made when it is missing
 * @param file in GGUF
 */
record GgufModel(String name, String type, boolean random, Path file) {
  /** Names the folder with the model files that are not in the tree. */
  private static final String SHARED = "SORTIE_SHARED";

  private static final Path SMOLLM2 =
      Path.of("models", "SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

  /**
   * SmolLM2-135M with its own weights, where its file is there, and models of its sizes with random
   * weights of other types.
   */
  static List<GgufModel> all(Settings settings, Map<String, String> env) {
    List<GgufModel> models = new ArrayList<>();
    for (String type : List.of("F32", "F16", "Q8_0", "Q4_0")) {
      Path file = settings.peers().files().resolve("random-135m-" + type + ".gguf");
      models.add(new GgufModel("135M random " + type, type, true, file));
    }
    Path shared = Path.of(env.getOrDefault(SHARED, "")).resolve(SMOLLM2);
    if (Files.isRegularFile(shared)) {
      models.add(new GgufModel("SmolLM2-135M Q4_1", "Q4_1", false, shared));
    } else {
      settings
          .progress()
          .accept("left out: SmolLM2-135M Q4_1, for " + SHARED + " names no folder with it");
    }
    return models;
  }

  /** Bytes of the file: what a decoded token reads, for these models' head is their embedding. */
  long bytes() {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException(file + " cannot be read", e);
    }
  }

  /**
   * How we hold it: as stored. F32 is copied, as {@code --dtype f32} does, and so comes into huge
   * pages.
   */
  Precision precision() {
    return type.equals("F32") ? Precision.F32 : Precision.FILE;
  }

  /** Whether its matrices are in blocks. */
  boolean quantised() {
    return type.startsWith("Q");
  }

  /** Makes the file if it is missing and can be made. */
  void prepare(Peers peers, Settings settings) {
    if (random && !Files.isRegularFile(file)) {
      settings.progress().accept("making " + file);
      LineProcess.start(peers, "random_gguf.py", "gguf", List.of(type, file.toString())).close();
    }
  }
}
