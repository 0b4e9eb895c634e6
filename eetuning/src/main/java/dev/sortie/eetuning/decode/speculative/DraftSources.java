package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.NgramTable;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.model.Decoder;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** The words of {@code --draft}. */
public final class DraftSources {
  private static final List<String> WORDS =
      List.of(PromptLookup.NAME, NgramDraft.NAME, LookaheadDraft.NAME, EarlyExitDraft.NAME);

  /** A token drafted by an exit has run through most of the model, so it had better be right. */
  private static final double EARLY_EXIT = 0.8;

  /** A token more to verify costs a tenth of a pass, and its probability decides whether it is. */
  private static final double LOOKAHEAD = 0.25;

  private DraftSources() {}

  /** Refuses words that mean nothing, or need exits where there are none. */
  public static void check(List<String> words, boolean hasExits) {
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (!WORDS.contains(word)) {
        throw new UsageException(
            "--draft '"
                + word
                + "' is unknown; take prompt-lookup, ngrams, lookahead, early-exit or several");
      }
      if (words.indexOf(word) < i) {
        throw new UsageException("--draft has " + word + " twice");
      }
      if (!word.equals(PromptLookup.NAME) && !hasExits) {
        throw new UsageException("--draft " + word + " needs --exits DIR");
      }
    }
  }

  /**
   * What drafts where no source was named: prompt look-up, n-grams where they lie with the exits,
   * and of the exits the lookahead exit, or the deepest one where there is none.
   */
  public static List<String> defaults(Exits exits) {
    List<String> words = new ArrayList<>(List.of(PromptLookup.NAME));
    if (exits.ngrams().isPresent()) {
      words.add(NgramDraft.NAME);
    }
    if (exits.lookahead().isPresent()) {
      words.add(LookaheadDraft.NAME);
    } else if (!exits.betweenLayers().isEmpty()) {
      words.add(EarlyExitDraft.NAME);
    }
    return List.copyOf(words);
  }

  /**
   * Drafts for one sequence that read nothing of the model: those of prompt look-up, and of n-grams
   * where they lie with the exits.
   */
  public static Drafter free(Exits exits, int capacity) {
    List<DraftSource> sources = new ArrayList<>(List.of(new PromptLookup(capacity)));
    exits.ngrams().ifPresent(table -> sources.add(new NgramDraft(table)));
    return VerificationRounds.free(sources, capacity);
  }

  /** The table to draft n-grams with; fails if none lies with the exits. */
  public static NgramTable requireNgrams(Exits exits) {
    return exits
        .ngrams()
        .orElseThrow(
            () ->
                new InputException(
                    "--draft ngrams: there is no table of n-grams in the folder of --exits; make one with merge-exits --ngrams"));
  }

  /**
   * New sources for one sequence.
   *
   * @param words checked
   * @param threshold confidence below which an exit does not draft; empty for a default of each
   *     source
   */
  public static List<DraftSource> of(
      List<String> words, Decoder decoder, Exits exits, OptionalDouble threshold, int capacity) {
    List<DraftSource> sources = new ArrayList<>();
    for (String word : words) {
      sources.add(
          switch (word) {
            case PromptLookup.NAME -> new PromptLookup(capacity);
            case NgramDraft.NAME -> new NgramDraft(requireNgrams(exits));
            case LookaheadDraft.NAME ->
                new LookaheadDraft(
                    exits
                        .lookahead()
                        .orElseThrow(
                            () ->
                                new InputException(
                                    "--draft lookahead: there is no lookahead exit in the folder of --exits; make one with add-exits --arch lookahead")),
                    decoder,
                    threshold.orElse(LOOKAHEAD),
                    capacity);
            case EarlyExitDraft.NAME -> {
              if (exits.betweenLayers().isEmpty()) {
                throw new InputException(
                    "--draft early-exit: there is no exit in the folder of --exits that decoding can leave at; take lookahead or prompt-lookup");
              }
              yield new EarlyExitDraft(
                  exits.betweenLayers().getLast(),
                  decoder.config().layers(),
                  threshold.orElse(EARLY_EXIT),
                  capacity);
            }
            default -> throw new IllegalArgumentException("draft source " + word);
          });
    }
    return sources;
  }
}
