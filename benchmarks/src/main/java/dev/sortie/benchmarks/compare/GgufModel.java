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
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A model that both sides read from the same file.
 *
 * @param name of the case
 * @param type of its matrices
 * @param size of random weights, of which a file is made when it is missing
 * @param file in GGUF
 */
record GgufModel(String name, String type, Optional<String> size, Path file) {
  /** Names the folder with the model files that are not in the tree. */
  private static final String SHARED = "SORTIE_SHARED";

  private static final Path SMOLLM2 =
      Path.of("models", "SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

  /** Gemma 3 270M as people have it; put there by hand, for it comes in parts. */
  private static final String GEMMA = "gemma-3-270m-it-Q4_K_M.gguf";

  /** Types of random weights by size. Q4_K_M is a mix. */
  private static final Map<String, List<String>> RANDOM =
      new TreeMap<>(
          Map.of(
              "135m", List.of("F32", "F16", "Q8_0", "Q4_0"),
              "0.5b", List.of("Q4_K_M"),
              "1b", List.of("Q8_0", "Q4_0", "Q4_K_M")));

  /**
   * SmolLM2-135M and Gemma 3 270M with their own weights, where their files are there, and models
   * of real sizes with random weights.
   */
  static List<GgufModel> all(Settings settings, Map<String, String> env) {
    List<GgufModel> models = new ArrayList<>();
    RANDOM.forEach(
        (size, types) -> {
          for (String type : types) {
            Path file = settings.peers().files().resolve("random-" + size + "-" + type + ".gguf");
            String name = size.toUpperCase(Locale.ROOT) + " random " + type;
            models.add(new GgufModel(name, type, Optional.of(size), file));
          }
        });
    Path gemma = settings.peers().files().resolve(GEMMA);
    if (Files.isRegularFile(gemma)) {
      models.add(new GgufModel("Gemma 3 270M Q4_K_M", "Q4_K_M", Optional.empty(), gemma));
    } else {
      settings.progress().accept("left out: Gemma 3 270M Q4_K_M, for there is no " + gemma);
    }
    Path shared = Path.of(env.getOrDefault(SHARED, "")).resolve(SMOLLM2);
    if (Files.isRegularFile(shared)) {
      models.add(new GgufModel("SmolLM2-135M Q4_1", "Q4_1", Optional.empty(), shared));
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
    if (size.isPresent() && !Files.isRegularFile(file)) {
      settings.progress().accept("making " + file);
      LineProcess.start(peers, "random_gguf.py", "gguf", List.of(type, size.get(), file.toString()))
          .close();
    }
  }
}
