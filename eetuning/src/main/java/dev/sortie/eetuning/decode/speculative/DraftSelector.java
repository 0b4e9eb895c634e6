package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;

/**
 * Asks sources how the text continues and takes the draft that promises the most tokens per second.
 * Sources that cost nothing are all asked; one that gives probabilities where that has paid;
 * another one that costs if what it usually gives promises more.
 */
final class DraftSelector implements AutoCloseable {
  private final DraftStates states;
  private final List<DraftSource> sources;
  private final DraftLength lengths;
  private final DraftOutcomes trials;
  private final LongSupplier clock;
  private final Context context = new Context();

  /** The text read, and at {@link #position} the token just chosen. */
  private final int[] text;

  private int position;

  /** What promises most so far. */
  private DraftLength.Choice choice;

  private Selection best;

  /** Of the draft being made: time to ask sources that give probabilities, and their tokens. */
  private double asking;

  private int looks;

  /**
   * The draft to verify.
   *
   * @param source its index, -1 for none
   * @param limit how many tokens it was asked for
   * @param asking seconds to ask sources that give probabilities, this one or others
   * @param looks tokens that those were asked about
   */
  record Selection(int source, int limit, Draft draft, double asking, int looks) {
    static final Selection NONE = new Selection(-1, 0, Draft.NONE, 0, 0);
  }

  /**
   * Drafts for one sequence.
   *
   * @param sources closed with this
   * @param text where tokens stand by position
   */
  DraftSelector(
      DraftStates states,
      List<DraftSource> sources,
      DraftLength lengths,
      DraftOutcomes trials,
      LongSupplier clock,
      int[] text) {
    this.states = states;
    this.sources = sources;
    this.lengths = lengths;
    this.trials = trials;
    this.clock = clock;
    this.text = text;
  }

  /** The draft of up to {@code max} tokens after the one at {@code position}. */
  Selection select(int position, int max) {
    this.position = position;
    choice = new DraftLength.Choice(0, lengths.plainRate());
    best = Selection.NONE;
    asking = 0;
    looks = 0;
    if (max > 0) {
      int situation = askFree(max);
      askWithProbabilities(max, situation);
      askCostly(max);
    }
    return new Selection(best.source, best.limit, best.draft, asking, looks);
  }

  /**
   * What a source that costs nothing offers after the token at a position.
   *
   * @param source its index, -1 for none
   * @param expected how many of the first 0, 1, … tokens are expected to be right
   */
  record Offer(int source, Draft draft, double[] expected) {
    static final Offer NONE = new Offer(-1, Draft.NONE, new double[1]);
  }

  /** The offer of up to {@code max} tokens of which most are expected to be right. */
  Offer offer(int at, int max) {
    position = at;
    Offer most = Offer.NONE;
    for (int i = 0; i < sources.size() && max > 0; i++) {
      DraftSource source = sources.get(i);
      Draft draft = source.cost() == 0 ? draft(source, max) : Draft.NONE;
      if (draft.length() > 0) {
        trials.open(i, draft, position + 1, draft.length());
        double[] expected = lengths.expected(i, draft.kind(), draft.length());
        if (expected[expected.length - 1] > most.expected[most.expected.length - 1]) {
          most = new Offer(i, draft, expected);
        }
      }
    }
    return most;
  }

  /** Returns what those that cost nothing have found, for {@link DraftLength#asks}. */
  private int askFree(int max) {
    int situation = 0;
    for (int i = 0; i < sources.size(); i++) {
      DraftSource source = sources.get(i);
      if (source.cost() == 0) {
        Draft draft = draft(source, max);
        if (draft.length() > 0) {
          trials.open(i, draft, position + 1, draft.length());
          situation = Math.max(situation, 1 + draft.kind());
          consider(i, lengths.choose(i, draft.kind(), draft.length()), draft);
        }
      }
    }
    return situation;
  }

  private void askWithProbabilities(int max, int situation) {
    for (int i = 0; i < sources.size(); i++) {
      DraftSource source = sources.get(i);
      if (source.givesProbabilities() && lengths.asks(i, situation)) {
        long start = clock.getAsLong();
        Draft draft = draft(source, max);
        double seconds = (clock.getAsLong() - start) * 1e-9;
        asking += seconds;
        looks += Math.min(max, draft.length() + 1);
        trials.open(i, draft, position + 1, draft.length());
        consider(i, lengths.weigh(i, situation, draft, choice, seconds), draft);
      }
    }
  }

  /** The first that promises more is asked, and taken: its work is done then. */
  private void askCostly(int max) {
    for (int i = 0; i < sources.size(); i++) {
      DraftSource source = sources.get(i);
      if (source.cost() > 0 && !source.givesProbabilities()) {
        DraftLength.Choice c = lengths.choose(i, 0, max);
        if (promisesMore(c)) {
          Draft draft = draft(source, c.length());
          trials.open(i, draft, position + 1, c.length());
          best = new Selection(i, c.length(), draft, 0, 0);
          return;
        }
      }
    }
  }

  private boolean promisesMore(DraftLength.Choice c) {
    return c.length() > 0 && c.rate() > choice.rate();
  }

  private void consider(int source, DraftLength.Choice c, Draft draft) {
    if (promisesMore(c)) {
      choice = c;
      best = new Selection(source, c.length(), draft.first(c.length()), 0, 0);
    }
  }

  private Draft draft(DraftSource source, int max) {
    context.descended = 0;
    Draft draft = states.step(() -> source.draft(context, max));
    if (draft.length() > max) {
      throw new IllegalStateException(
          source.name() + " drafted " + draft.length() + " tokens, " + max + " were asked for");
    }
    // verification continues from what the source ran, so it must have run what it drafted
    int kept = Math.min(context.descended, 1 + draft.length());
    for (int i = 1; i < kept; i++) {
      if (context.ran[i] != draft.tokens()[i - 1]) {
        throw new IllegalStateException(
            source.name() + " draft token " + draft.tokens()[i - 1] + " and ran " + context.ran[i]);
      }
    }
    if (context.descended > kept) {
      cut(position + kept);
    }
    return draft;
  }

  /** Forgets what was computed for positions {@code count} and above. */
  void cut(int count) {
    states.rewind(count);
    sources.forEach(s -> s.rewind(count));
  }

  @Override
  public void close() {
    sources.forEach(DraftSource::close);
  }

  private final class Context implements DraftContext {
    /** Tokens that the source ran through the lower layers, and how many. */
    private final int[] ran = new int[Kernels.ROW_STABLE];

    private int descended;

    @Override
    public int length() {
      return position + 1;
    }

    @Override
    public int token(int at) {
      return text[Objects.checkIndex(at, position + 1)];
    }

    @Override
    public Decoder decoder() {
      return states.decoder();
    }

    @Override
    public Ops ops() {
      return states.ops();
    }

    @Override
    public HiddenState descend(int token) {
      if (descended == 0 && token != text[position]) {
        throw new IllegalArgumentException(
            "token " + token + " is run first, the text ends with " + text[position]);
      }
      HiddenState state = states.descend(token);
      ran[descended++] = token;
      return state;
    }

    @Override
    public Tensor hidden(int first, int end) {
      return states.hidden(first, end);
    }

    @Override
    public Tensor features(int depth, int first, int end) {
      if (end > position) {
        throw new IllegalArgumentException(
            "hidden states to position " + end + ", the text read has " + position);
      }
      return states.features(depth, first, end);
    }

    @Override
    public int featuresFrom() {
      return states.featuresFrom();
    }
  }
}
