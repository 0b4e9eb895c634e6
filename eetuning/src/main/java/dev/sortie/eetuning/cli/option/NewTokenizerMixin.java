package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.data.TokenDataset;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.nn.text.model.Vocabulary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** The tokenizer of a model that is trained from scratch. */
public final class NewTokenizerMixin {
  /** The token that ends a text in a new tokenizer. */
  public static final String END = "<|endoftext|>";

  private static final int DEFAULT_VOCAB = 1024;
  private static final int SMALLEST = 257;

  @Option(
      names = "--vocab",
      paramLabel = "V",
      description = "Vocabulary size of the new tokenizer. Default: " + DEFAULT_VOCAB + ".")
  private Integer vocab;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "Use this tokenizer.json instead of training a tokenizer.")
  private Path given;

  /** Refuses a size for a tokenizer that is given. */
  public void check() {
    if (given != null && vocab != null) {
      throw new UsageException(
          "--vocab %d is the size of a new tokenizer; leave it out, or --tokenizer %s"
              .formatted(vocab, given));
    }
    if (vocab() < SMALLEST || vocab() > Vocabulary.MAX_SIZE) {
      throw new UsageException(
          "--vocab %d is outside %d (256 bytes and the end of a text) to %d"
              .formatted(vocab(), SMALLEST, Vocabulary.MAX_SIZE));
    }
  }

  /** Tokens of a new tokenizer, at most. */
  public int vocab() {
    return vocab == null ? DEFAULT_VOCAB : vocab;
  }

  /** Tokens of the tokenizer that is there, or as many as a new one may have. */
  public int expected(Path out) {
    Path file = given == null ? file(out) : given;
    return given != null || Files.exists(file) ? TokenizerJson.read(file).vocabSize() : vocab();
  }

  /**
   * The tokenizer that this run has already, or the one given, or a new one. What is there stays: a
   * run whose tokenizer was replaced could not be resumed any more.
   *
   * @param out folder of the run, which keeps it
   * @param text to train a new one on
   * @throws InputException if the run has another one than the options ask for
   */
  public Tokenizer make(Path out, List<Path> text) {
    Path own = file(out);
    if (Files.exists(own)) {
      Tokenizer kept = TokenizerJson.read(own);
      checkSame(own, kept, text);
      return kept;
    }
    if (Checkpoints.begun(out)) {
      throw new InputException(
          "%s: not there, although there are checkpoints: they are of another command, or the file is lost; give another --out"
              .formatted(own));
    }
    if (given != null) {
      AtomicFiles.write(own, bytes(given));
    } else {
      SubwordTokenizer trained = train(text);
      OptionalInt end = trained.id(END);
      TokenizerJsonWriter.write(trained.withSpecials(OptionalInt.empty(), end), own);
    }
    return TokenizerJson.read(own);
  }

  private void checkSame(Path own, Tokenizer kept, List<Path> text) {
    if (given != null && !Arrays.equals(bytes(given), bytes(own))) {
      throw new InputException(
          "%s: differs from --tokenizer %s; give the one of this run, or another --out"
              .formatted(own, given));
    }
    if (given == null && vocab != null && !mayHave(kept.vocabSize(), text)) {
      throw new InputException(
          "%s: has %d tokens, --vocab asks for %d; leave it out, or give another --out"
              .formatted(own, kept.vocabSize(), vocab));
    }
  }

  /**
   * Whether {@code --vocab} gives so many tokens. Fewer than asked for are so if the text has no
   * more, which only training tells.
   */
  private boolean mayHave(int tokens, List<Path> text) {
    return tokens == vocab || tokens < vocab && train(text).vocabSize() == tokens;
  }

  private SubwordTokenizer train(List<Path> text) {
    text.stream()
        .filter(TokenDataset::isTokenFile)
        .findFirst()
        .ifPresent(
            file -> {
              throw new UsageException(
                  "--data %s is a file of token ids; give the --tokenizer that made them"
                      .formatted(file));
            });
    System.err.println("training a tokenizer of " + vocab() + " tokens");
    return new BpeTrainer(new BpeTrainer.Options(vocab(), List.of(END), true, 2))
        .addFiles(text)
        .train();
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

  private static byte[] bytes(Path file) {
    return InputFiles.readAll(file, JsonLimits.TOKENIZER.maxBytes());
  }
}
