package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Drafts of several sources for one text. How much is drafted adapts to how often draft tokens are
 * right and to the time that passes take.
 */
public final class VerificationRounds implements Drafter {
  private final List<DraftSource> sources;
  private final DraftLength lengths;
  private final LongSupplier clock;
  private final DraftOutcomes trials;
  private final DraftSelector selector;
  private final SpeculationCounts counts;

  /** The text read, and the draft tokens after it. */
  private final int[] text;

  /** Tokens read. */
  private int end;

  private Round round = Round.at(-1);
  private DraftSelector.Offer offered = DraftSelector.Offer.NONE;

  /**
   * A pass.
   *
   * @param base position of the token just chosen, the pass's first row
   * @param source that was asked, -1 for none
   * @param limit how many tokens it was asked for
   * @param draft draft tokens read
   * @param seconds time for the pass, and for drafting unless the source gives probabilities; below
   *     0 if there is none to be accounted for
   */
  private record Round(int base, int source, int limit, int[] draft, double seconds) {
    private static final double UNACCOUNTED = Double.NEGATIVE_INFINITY;

    /** What is known of position {@code base} comes from no pass with drafts. */
    static Round at(int base) {
      return new Round(base, -1, 0, new int[0], UNACCOUNTED);
    }

    Round plus(double more) {
      return new Round(base, source, limit, draft, seconds + more);
    }
  }

  /**
   * Drafts of sources that read nothing of the model and cost nothing.
   *
   * @param sources closed with this
   * @param capacity tokens of the text at most
   */
  public static VerificationRounds free(List<DraftSource> sources, int capacity) {
    for (DraftSource s : sources) {
      if (s.cost() > 0 || s.givesProbabilities() || !s.features().isEmpty()) {
        throw new IllegalArgumentException(s.name() + " reads hidden states");
      }
    }
    return new VerificationRounds(
        sources, DraftStates.NONE, AdaptiveDraftLength.of(sources), System::nanoTime, capacity);
  }

  /**
   * Drafts of any sources.
   *
   * @param sources closed with this
   * @param states that the sources read
   */
  VerificationRounds(
      List<DraftSource> sources,
      DraftStates states,
      DraftLength lengths,
      LongSupplier clock,
      int capacity) {
    this.sources = List.copyOf(sources);
    this.lengths = lengths;
    this.clock = clock;
    this.trials = new DraftOutcomes(lengths);
    this.counts = new SpeculationCounts(sources.stream().map(DraftSource::name).toList());
    this.text = new int[capacity];
    this.selector = new DraftSelector(states, this.sources, lengths, trials, clock, text);
  }

  @Override
  public int most() {
    return Speculative.MAX_DRAFT;
  }

  @Override
  public void prompt(int position, int[] prompt) {
    settle();
    trials.forget();
    selector.cut(position);
    System.arraycopy(prompt, 0, text, position, prompt.length);
    end = position + prompt.length;
    round = Round.at(end - 1);
  }

  @Override
  public boolean isRight(int position, int token) {
    trials.chosen(position, token);
    if (hasRead(position, token)) {
      counts.right();
      text[position] = token;
      end = position + 1;
      return true;
    }
    settle();
    selector.cut(position); // draft tokens that were wrong
    return false;
  }

  @Override
  public boolean hasRead(int position, int token) {
    int i = position - round.base - 1;
    return i >= 0 && i < round.draft.length && round.draft[i] == token;
  }

  @Override
  public double[] offer(int position, int token, int most) {
    text[position] = token;
    end = position + 1;
    int room = Math.min(most, text.length - position - 1);
    offered = selector.offer(position, Math.min(room, Speculative.MAX_DRAFT));
    return offered.expected();
  }

  @Override
  public int[] beginOffered(int position, int token, int count) {
    int source = count == 0 ? -1 : offered.source();
    int[] draft = offered.draft().first(count).tokens();
    counts.pass(position, source, count, count, 0);
    round = new Round(position, source, count, draft, Round.UNACCOUNTED);
    int[] tokens = new int[1 + count];
    tokens[0] = token;
    System.arraycopy(draft, 0, tokens, 1, count);
    return tokens;
  }

  @Override
  public int[] begin(int position, int token, int most) {
    text[position] = token;
    end = position + 1;
    long start = clock.getAsLong();
    DraftSelector.Selection selected =
        selector.select(position, Math.min(most, text.length - position - 1));
    int[] draft = selected.draft().tokens();
    int[] tokens = new int[1 + draft.length];
    tokens[0] = token;
    System.arraycopy(draft, 0, tokens, 1, draft.length);
    counts.pass(position, selected.source(), selected.limit(), draft.length, selected.looks());
    double seconds = (clock.getAsLong() - start) * 1e-9;
    counts.took(seconds);
    round =
        new Round(
            position, selected.source(), selected.limit(), draft, seconds - selected.asking());
    return tokens;
  }

  @Override
  public void took(double seconds) {
    counts.took(seconds);
    round = round.plus(seconds);
  }

  @Override
  public Optional<Step.DraftToken> behind(int position) {
    int i = position - round.base;
    return i < round.draft.length
        ? Optional.of(new Step.DraftToken(round.draft[i], sources.get(round.source).name()))
        : Optional.empty();
  }

  /** Accounts for the last pass, now that it is known how far it reached. */
  private void settle() {
    if (round.seconds >= 0) {
      lengths.finished(round.source, round.limit, round.seconds, end - round.base);
    }
  }

  @Override
  public void rewind(int count) {
    settle();
    end = count;
    // no row of the last pass is of use: what follows is read anew
    round = Round.at(count - 1);
    trials.forget();
    selector.cut(count);
  }

  @Override
  public SpeculationReport report() {
    return counts.report();
  }

  @Override
  public void close() {
    selector.close();
  }
}
