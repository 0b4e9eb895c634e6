package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** The tokenizer of a model that is trained from scratch. */
public final class NewTokenizerMixin {
  /** The token that ends a text in a new tokenizer. */
  public static final String END = "<|endoftext|>";

  @Option(
      names = "--vocab",
      paramLabel = "V",
      defaultValue = "1024",
      description = "Vocabulary size of the new tokenizer. Default: ${DEFAULT-VALUE}.")
  private int vocab;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "Use this tokenizer.json instead of training a tokenizer.")
  private Path given;

  /** Tokens of a new tokenizer, at most. */
  public int vocab() {
    return vocab;
  }

  /** Tokens of the tokenizer that is there, or as many as a new one may have. */
  public int expected(Path out) {
    Path file = given == null ? file(out) : given;
    return given != null || Files.exists(file) ? TokenizerJson.read(file).vocabSize() : vocab;
  }

  /**
   * The tokenizer given, or the one this run has trained before, or a new one.
   *
   * @param out folder of the run, which keeps it
   * @param text to train a new one on
   */
  public Tokenizer make(Path out, List<Path> text) {
    Path own = file(out);
    if (given != null) {
      copy(given, own);
    }
    if (Files.exists(own)) {
      return TokenizerJson.read(own);
    }
    System.err.println("training a tokenizer of " + vocab + " tokens");
    SubwordTokenizer trained =
        new BpeTrainer(new BpeTrainer.Options(vocab, List.of(END), true, 2)).addFiles(text).train();
    OptionalInt end = trained.id(END);
    TokenizerJsonWriter.write(trained.withSpecials(OptionalInt.empty(), end), own);
    return TokenizerJson.read(own);
  }

  private static Path file(Path out) {
    return out.resolve("tokenizer.json");
  }

  /** What rank 0 has put there. */
  public static Tokenizer made(Path out) {
    if (!Files.exists(file(out))) {
      throw new InputException(
          file(out)
              + ": not there, rank 0 has put it there; --out must be in a folder that all ranks share");
    }
    return TokenizerJson.read(file(out));
  }

  private static void copy(Path from, Path to) {
    AtomicFiles.write(to, InputFiles.readAll(from, JsonLimits.TOKENIZER.maxBytes()));
  }
}
