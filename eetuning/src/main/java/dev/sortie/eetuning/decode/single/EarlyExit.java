package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.pass.Descent;
import dev.sortie.eetuning.decode.pass.Segment;
import dev.sortie.eetuning.decode.pass.Sequence;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import java.util.List;
import java.util.Optional;

/**
 * Decoding that stops at the first exit confident enough and keeps the KV cache exact: one text on
 * a {@link Descent}, which says how. Where a drafter proposes how the text continues, its draft
 * tokens are read with the token just chosen; answers are given token after token.
 */
public final class EarlyExit implements DecodingStrategy {
  /** Deficit tokens at most: with the token that goes deeper they fill a batch of stable rows. */
  public static final int MAX_PENDING = Kernels.ROW_STABLE - 1;

  private final Descent descent;
  private final DraftedText text;

  /**
   * A new sequence without drafts.
   *
   * @param exits those to check, all of one backbone
   * @param capacity tokens to set room aside for
   * @param maxPending deficit tokens at most, 0 to {@link #MAX_PENDING}
   */
  public EarlyExit(
      Decoder decoder,
      Exits exits,
      ExitPolicy policy,
      int capacity,
      int maxPending,
      Device device) {
    this(decoder, exits, policy, capacity, maxPending, Drafter.NONE, device);
  }

  /**
   * A new sequence.
   *
   * @param exits those to check, all of one backbone
   * @param capacity tokens to set room aside for
   * @param maxPending deficit tokens at most, 0 to {@link #MAX_PENDING}
   * @param drafter closed with this
   */
  public EarlyExit(
      Decoder decoder,
      Exits exits,
      ExitPolicy policy,
      int capacity,
      int maxPending,
      Drafter drafter,
      Device device) {
    check(exits, policy, maxPending);
    Exits asked = policy.never() ? Exits.none() : exits;
    List<Segment> segments = Segment.of(asked, decoder.config().layers());
    this.descent = new Descent(decoder, segments, device);
    this.text =
        new DraftedText(
            SequenceState.of(
                new Sequence(decoder, capacity, descent.ops()),
                segments,
                policy,
                maxPending,
                1 + drafter.most(),
                Optional.empty()),
            drafter);
  }

  /** Fails unless such a sequence can be decoded. */
  public static void check(Exits exits, ExitPolicy policy, int maxPending) {
    if (maxPending < 0 || maxPending > MAX_PENDING) {
      throw new InputException("pending tokens " + maxPending + " are outside 0 to " + MAX_PENDING);
    }
    for (Exit e : exits.exits()) {
      if (policy.usesProbe() && e.gates().probe().isEmpty()) {
        throw new InputException(
            "the exit after layer "
                + e.depth()
                + " has no probe; tune it with --gate-tokens above 0, or take another"
                + " --exit-policy");
      }
    }
  }

  @Override
  public Step prefill(int[] prompt) {
    text.prompt(prompt);
    return descent.prefill(text.state(), prompt);
  }

  @Override
  public Step next(int token) {
    return text.next(descent, token);
  }

  /** See {@link Descent#completedCache}. */
  public List<Tensor> completedCache(int layer) {
    return descent.completedCache(text.state(), layer);
  }

  @Override
  public SpeculationReport speculation() {
    return text.report();
  }

  @Override
  public int position() {
    return text.state().position();
  }

  @Override
  public void rewind(int count) {
    text.rewind(count);
  }

  @Override
  public void close() {
    text.close();
    descent.close();
  }
}
