package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.Pieces;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.nn.InputException;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongSupplier;

/**
 * Lossless decoding that reads several tokens in one pass: a {@link DraftSource} guesses how the
 * text goes on, one pass through all layers gives the logits after the token just chosen and after
 * each guess, and those after the guesses that turn out right need no pass of their own.
 *
 * <p>The sampler stays outside: it chooses each token from the full model's logits with the random
 * number of its position, as it does at full depth, and a guess is right if the very token was
 * chosen. Since a pass of up to {@link Kernels#ROW_STABLE} rows gives each row the bits that it
 * gets alone, the text has the same bits as at full depth, greedy or sampled. That is a stronger
 * promise than rejection sampling makes (arXiv 2211.17192, 2302.01318: the same distribution), at
 * the same price: a guess that is one token, not a distribution, is accepted there with the
 * probability that the model gives this token, which is how often it is chosen here.
 */
public final class Speculative implements DecodingStrategy {
  /** Guesses in a pass at most: with the token just chosen they fill the stable rows. */
  public static final int MAX_DRAFT = Kernels.ROW_STABLE - 1;

  private final StagedPass pass;
  private final List<DraftSource> sources;
  private final DraftLength lengths;
  private final LongSupplier clock;
  private final Trials trials;
  private final Guessing guessing;
  private final SpeculationCounts counts;
  private final float[][] logits = new float[Kernels.ROW_STABLE][];
  private final double[] confidence = new double[Kernels.ROW_STABLE];

  /** The text read, and the token being read. */
  private final int[] text;

  private int position;

  /** The last pass, whose rows may reach beyond {@link #position}. */
  private Round round = Round.at(-1);

  /**
   * A pass.
   *
   * @param base position of the token just chosen, the pass's first row
   * @param source that was asked, -1 for none
   * @param limit how many tokens it was asked for
   * @param draft guesses verified
   * @param seconds time for the pass, and for guessing unless the source says chances
   */
  private record Round(int base, int source, int limit, int[] draft, double seconds) {
    /** What is known of position {@code base} comes from no pass to be accounted for. */
    static Round at(int base) {
      return new Round(base, -1, 0, new int[0], -1);
    }
  }

  /**
   * A new sequence. How much is guessed adapts to how often guesses are right and to the time that
   * passes take.
   *
   * @param sources closed with this; at most one depth among them. None is full-depth decoding
   * @param capacity tokens to set room aside for
   */
  public Speculative(Decoder decoder, List<DraftSource> sources, int capacity, Device device) {
    this(decoder, sources, capacity, device, AdaptiveDraftLength.of(sources), System::nanoTime);
  }

  Speculative(
      Decoder decoder,
      List<DraftSource> sources,
      int capacity,
      Device device,
      DraftLength lengths,
      LongSupplier clock) {
    this.sources = List.copyOf(sources);
    this.lengths = lengths;
    this.clock = clock;
    this.trials = new Trials(lengths);
    this.counts = new SpeculationCounts(sources.stream().map(DraftSource::name).toList());
    this.text = new int[capacity];
    boolean finals = sources.stream().anyMatch(DraftSource::readsFinalStates);
    this.pass = new StagedPass(decoder, capacity, cut(sources, decoder), finals, device);
    this.guessing = new Guessing(pass, this.sources, lengths, trials, clock, text);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = new float[decoder.config().vocab()];
    }
  }

  private static int cut(List<DraftSource> sources, Decoder decoder) {
    for (DraftSource s : sources) {
      if (s.depth() > 0 && s.cost() == 0) {
        throw new IllegalArgumentException(s.name() + " runs layers and calls that free");
      }
    }
    int[] depths = sources.stream().mapToInt(DraftSource::depth).filter(d -> d != 0).toArray();
    if (Arrays.stream(depths).distinct().count() > 1) {
      throw new InputException(
          "drafts from depths " + Arrays.toString(depths) + "; take one exit to draft with");
    }
    int layers = decoder.config().layers();
    if (depths.length > 0 && (depths[0] < 0 || depths[0] >= layers)) {
      throw new InputException("draft depth " + depths[0] + " is outside 1 to " + (layers - 1));
    }
    return depths.length == 0 ? 0 : depths[0];
  }

  @Override
  public Step prefill(int[] prompt) {
    pass.sequence().requireRoom(position + prompt.length);
    settle();
    trials.forget();
    guessing.cut(position);
    int from = 0;
    while (from < prompt.length) {
      int to = Pieces.end(from, prompt.length, Pieces.USUAL);
      int[] piece = Arrays.copyOfRange(prompt, from, to);
      boolean end = to == prompt.length;
      pass.sequence()
          .step(
              () -> {
                Tensor y = pass.prefill(piece, position, end);
                if (end) {
                  read(y, 1);
                }
                return null;
              });
      System.arraycopy(piece, 0, text, position, piece.length);
      position += piece.length;
      from = to;
    }
    round = Round.at(position - 1);
    return step();
  }

  @Override
  public Step next(int token) {
    pass.sequence().requireRoom(position + 1);
    trials.chosen(position, token);
    if (ahead() > 0 && round.draft[position - round.base - 1] == token) {
      counts.right();
      text[position++] = token;
      return step();
    }
    settle();
    guessing.cut(position); // guesses that were wrong
    return pass(token);
  }

  /** Rows of the last pass that are not reached yet. */
  private int ahead() {
    return round.base + 1 + round.draft.length - position;
  }

  private Step pass(int token) {
    text[position] = token;
    long start = clock.getAsLong();
    Guessing.Guess guess =
        guessing.guess(position, Math.min(MAX_DRAFT, text.length - position - 1));
    int[] tokens = new int[1 + guess.draft().length()];
    tokens[0] = token;
    System.arraycopy(guess.draft().tokens(), 0, tokens, 1, guess.draft().length());
    pass.sequence()
        .step(
            () -> {
              read(pass.pass(tokens, position), tokens.length);
              return null;
            });
    counts.pass(position, guess.source(), guess.limit(), guess.draft().length(), guess.looks());
    double seconds = (clock.getAsLong() - start) * 1e-9;
    counts.took(seconds);
    round =
        new Round(
            position,
            guess.source(),
            guess.limit(),
            guess.draft().tokens(),
            seconds - guess.asking());
    position++;
    return step();
  }

  /** Copies logits out of the workspace: those of the last {@code rows} of y. */
  private void read(Tensor y, int rows) {
    Ops ops = pass.ops();
    Tensor all = pass.sequence().decoder().logits(ops, y);
    TopTokens top = TopTokens.of(ops, all);
    long vocab = all.shape().dim(-1);
    for (int r = 0; r < rows; r++) {
      Tensor row = Tensor.of(all.span().slice(r * vocab, vocab), Shape.of(1, vocab));
      MemorySegment.ofArray(logits[r]).copyFrom(row.span().readOnly());
      confidence[r] = top.probability(r);
    }
  }

  /** What follows the tokens read. */
  private Step step() {
    int row = position - 1 - round.base;
    Optional<Step.Guess> guess =
        row < round.draft.length
            ? Optional.of(new Step.Guess(round.draft[row], sources.get(round.source).name()))
            : Optional.empty();
    return new Step(logits[row], OptionalInt.empty(), confidence[row], guess);
  }

  /** Accounts for the last pass, now that it is known how far it reached. */
  private void settle() {
    if (round.seconds >= 0) {
      lengths.finished(round.source, round.limit, round.seconds, position - round.base);
    }
  }

  /** Passes and guesses so far. */
  public SpeculationReport report() {
    return counts.report();
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public void rewind(int count) {
    Sequence.checkKept(count, position);
    settle();
    position = count;
    // no row of the last pass is of use: what follows is read anew
    round = Round.at(count - 1);
    trials.forget();
    guessing.cut(count);
  }

  @Override
  public void close() {
    guessing.close();
    pass.close();
  }
}
