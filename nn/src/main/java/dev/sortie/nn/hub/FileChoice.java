package dev.sortie.nn.hub;

import java.util.List;

/** Which files of a repository to pull. */
public sealed interface FileChoice {
  /** What is needed to run the model: configuration, tokenizer, chat template, safetensors. */
  record Runnable() implements FileChoice {}

  /**
   * All files that match one of some patterns.
   *
   * @param patterns {@code *} stands for any characters, {@code /} too; {@code ?} for one
   */
  record Matching(List<String> patterns) implements FileChoice {
    /** Patterns, at least one. */
    public Matching {
      patterns = List.copyOf(patterns);
      if (patterns.isEmpty()) {
        throw new IllegalArgumentException("no pattern");
      }
    }
  }

  /**
   * One GGUF file.
   *
   * @param name its path, or a part of it that no other GGUF file has
   */
  record GgufFile(String name) implements FileChoice {}
}
