package dev.sortie.nn.text;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.model.BpeOptions;
import dev.sortie.nn.text.model.MergeTable;
import dev.sortie.nn.text.model.SubwordModel;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PostProcessor;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.unicode.ByteAlphabet;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Learns a byte-level BPE vocabulary (Sennrich et al. 2016 on the bytes of GPT-2's pieces): the
 * most frequent pair of neighbours becomes a token, again and again. Ties go to the pair of lowest
 * ids, so that the same texts give the same vocabulary. Ids: special tokens, the 256 bytes in the
 * order of their characters, then the merges. Not thread-safe.
 */
public final class BpeTrainer {
  /** Characters of a file that are cut into pieces at once. */
  private static final int PART = 1 << 20;

  private final Options options;
  private final PreTokenizer preTokenizer;
  private final Map<String, Long> pieces = new HashMap<>();

  /**
   * What to learn.
   *
   * @param vocabSize wanted number of tokens, special ones and the 256 bytes included
   * @param specials special tokens, which get the first ids
   * @param individualDigits whether digits are cut off one by one, as SmolLM does
   * @param minFrequency a pair seen fewer times is not merged; at least 1
   */
  public record Options(
      int vocabSize, List<String> specials, boolean individualDigits, long minFrequency) {
    /** Checks the sizes. */
    public Options {
      specials = List.copyOf(specials);
      int least = 256 + specials.size();
      if (vocabSize < least || vocabSize > Vocabulary.MAX_SIZE) {
        throw new InputException(
            "vocabulary size %d is not from %d (bytes and special tokens) to %d"
                .formatted(vocabSize, least, Vocabulary.MAX_SIZE));
      }
      if (minFrequency < 1) {
        throw new InputException("smallest pair frequency " + minFrequency + " is below 1");
      }
      if (new HashSet<>(specials).size() < specials.size()
          || specials.stream().anyMatch(s -> s.length() < 2)) {
        throw new InputException(
            "special tokens " + specials + ": each must be there once and have two characters");
      }
    }
  }

  /** A trainer that has seen no text. */
  public BpeTrainer(Options options) {
    this.options = options;
    PreTokenizer level = new PreTokenizer.ByteLevel(false, true);
    preTokenizer =
        options.individualDigits()
            ? new PreTokenizer.Sequence(List.of(new PreTokenizer.Digits(true), level))
            : level;
  }

  /** Counts the pieces of one text. Special tokens spelled in it are text. */
  public BpeTrainer add(String text) {
    if (!text.isEmpty()) {
      Budget budget = new Budget("trained tokenizer", "a text", text.length());
      preTokenizer.split(text, true, budget, piece -> pieces.merge(piece, 1L, Long::sum));
    }
    return this;
  }

  /** Counts the pieces of UTF-8 files, each one text. */
  public BpeTrainer addFiles(List<Path> files) {
    Pieces reader = new Pieces();
    files.forEach(file -> TrainingText.read(file, reader));
    return this;
  }

  private final class Pieces implements TrainingText.Reader {
    private final StringBuilder waiting = new StringBuilder();

    @Override
    public void part(String part) {
      int before = waiting.length();
      waiting.append(part);
      int searched = before < PART ? 0 : before;
      int cut = waiting.length() < PART ? 0 : TextCuts.BEFORE_SPACES.last(waiting, searched);
      if (cut > 0) {
        add(waiting.substring(0, cut));
        waiting.delete(0, cut);
      }
    }

    @Override
    public void end() {
      add(waiting.toString());
      waiting.setLength(0);
    }
  }

  /**
   * The tokenizer learnt from what was added. It has fewer tokens than wanted where no pair is
   * frequent enough. It adds nothing to a text and names no BOS or EOS.
   */
  public SubwordTokenizer train() {
    String source = "trained tokenizer";
    List<String> tokens = new ArrayList<>(options.specials());
    int[] byteIds = new int[256];
    IntStream.range(0, 256)
        .boxed()
        .sorted((a, b) -> Character.compare(ByteAlphabet.toChar(a), ByteAlphabet.toChar(b)))
        .forEach(
            b -> {
              byteIds[b] = tokens.size();
              tokens.add(String.valueOf(ByteAlphabet.toChar(b)));
            });
    PairMerging merging = new PairMerging(tokens, pieces, byteIds);
    merging.run(options.vocabSize(), options.minFrequency());

    Vocabulary vocabulary = new Vocabulary(source, tokens);
    List<AddedToken> added =
        IntStream.range(0, options.specials().size())
            .mapToObj(id -> AddedToken.special(id, options.specials().get(id)))
            .toList();
    return new SubwordTokenizer(
        new TokenizerSpec(
            source,
            vocabulary,
            new SubwordModel.Bpe(
                MergeTable.of(source, vocabulary, merging.left(), merging.right()),
                BpeOptions.BYTE_LEVEL),
            added,
            new Normalizer.None(),
            preTokenizer,
            TokenDecoding.BYTE_LEVEL,
            PostProcessor.NONE,
            OptionalInt.empty(),
            OptionalInt.empty()));
  }
}
