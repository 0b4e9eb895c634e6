package dev.sortie.eetuning.decode.speculative;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.ChunkedPrefill;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.nn.InputException;
import dev.sortie.nn.TopTokens;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Lossless decoding that reads several tokens in one pass: a {@link DraftSource} proposes how the
 * text continues, one pass through all layers gives the logits after the token just chosen and
 * after each draft, and those after the draft tokens that turn out right need no pass of their own.
 *
 * <p>The sampler stays outside: it chooses each token from the full model's logits with the random
 * number of its position, as it does at full depth, and a draft token is right if the very token
 * was chosen. Since a pass of up to {@link Kernels#ROW_STABLE} rows gives each row the bits that it
 * gets alone, the text has the same bits as at full depth, greedy or sampled. That is a stronger
 * promise than rejection sampling makes (arXiv 2211.17192, 2302.01318: the same distribution), at
 * the same price: a draft token that is one token, not a distribution, is accepted there with the
 * probability that the model gives this token, which is how often it is chosen here.
 */
public final class Speculative implements DecodingStrategy {
  /** Draft tokens in a pass at most: with the token just chosen they fill the stable rows. */
  public static final int MAX_DRAFT = Kernels.ROW_STABLE - 1;

  private final StagedPass pass;
  private final VerificationRounds rounds;
  private final LongSupplier clock;
  private final float[][] logits = new float[Kernels.ROW_STABLE][];
  private final double[] confidence = new double[Kernels.ROW_STABLE];

  /** Position of the last pass's first row, whose rows may reach beyond {@link #position}. */
  private int base;

  private int position;

  /**
   * A new sequence. How much is drafted adapts to how often draft tokens are right and to the time
   * that passes take.
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
    this.clock = clock;
    Set<Integer> features =
        sources.stream().flatMap(s -> s.features().stream()).collect(Collectors.toSet());
    this.pass = new StagedPass(decoder, capacity, cut(sources, decoder), features, device);
    this.rounds = new VerificationRounds(sources, pass, lengths, clock, capacity);
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
    rounds.prompt(position, prompt);
    ChunkedPrefill.each(prompt, (chunk, end) -> pass.step(() -> prefillChunk(chunk, end)));
    base = position - 1;
    return step();
  }

  private Void prefillChunk(int[] chunk, boolean end) {
    Tensor y = pass.prefill(chunk, position, end);
    if (end) {
      read(y, 1);
    }
    position += chunk.length;
    return null;
  }

  @Override
  public Step next(int token) {
    pass.sequence().requireRoom(position + 1);
    if (!rounds.isRight(position, token)) {
      pass(token);
    }
    position++;
    return step();
  }

  private void pass(int token) {
    int[] tokens = rounds.begin(position, token, MAX_DRAFT);
    long start = clock.getAsLong();
    pass.step(
        () -> {
          read(pass.pass(tokens, position), tokens.length);
          return null;
        });
    rounds.took((clock.getAsLong() - start) * 1e-9);
    base = position;
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
    int row = position - 1 - base;
    return new Step(logits[row], OptionalInt.empty(), confidence[row], rounds.behind(position - 1));
  }

  @Override
  public SpeculationReport speculation() {
    return rounds.report();
  }

  @Override
  public int position() {
    return position;
  }

  @Override
  public void rewind(int count) {
    position = Sequence.checkKept(count, position);
    rounds.rewind(count);
  }

  @Override
  public void close() {
    rounds.close();
    pass.close();
  }
}
