package dev.sortie.benchmarks;

import dev.sortie.benchmarks.cold.PromptText;
import dev.sortie.benchmarks.serve.StreamedRequest;
import dev.sortie.nn.load.ModelFiles;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of the requests that servers get. */
final class ServedRequestsMixin {
  @Option(
      names = "--prompt-tokens",
      defaultValue = "43",
      paramLabel = "N",
      description = "Tokens of each prompt. Default: ${DEFAULT-VALUE}.")
  private int promptTokens;

  @Option(
      names = "--tokens",
      defaultValue = "128",
      paramLabel = "N",
      description = "Tokens of each text. Default: ${DEFAULT-VALUE}.")
  private int tokens;

  int promptTokens() {
    Ranges.check("--prompt-tokens", promptTokens, 1, 1024);
    return promptTokens;
  }

  int tokens() {
    Ranges.check("--tokens", tokens, 1, 4096);
    return tokens;
  }

  /** Tokens that each client needs in the cache, in whole pages of both servers. */
  int room() {
    return Math.ceilDiv(promptTokens() + tokens(), 256) * 256;
  }

  /** The prompts in a model's tokens. */
  StreamedRequest.Source source(Path path) {
    try (ModelFiles files = ModelFiles.open(path)) {
      return new StreamedRequest.Source(PromptText.all(), files.tokenizer(), promptTokens());
    }
  }
}
