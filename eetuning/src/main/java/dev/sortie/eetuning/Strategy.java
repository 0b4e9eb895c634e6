package dev.sortie.eetuning;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.decode.speculative.Speculative;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;

/** How the logits of a text's tokens are computed, as a value: each text begins one of its own. */
public sealed interface Strategy {

  /** Every layer for every token. */
  Strategy FULL = new Full();

  /**
   * Begins a text.
   *
   * @param decoder of the model that the exits belong to
   * @param capacity tokens to set room aside for, prompt and answer
   * @return to be closed
   */
  DecodingStrategy begin(Decoder decoder, int capacity, Device device);

  /**
   * Leaves at the first exit whose largest probability reaches a threshold.
   *
   * @param exits that are asked, and behind them the final layer's draft head where they have one
   * @param threshold 0 to 1; 1 never leaves
   */
  static Strategy earlyExit(Exits exits, double threshold) {
    ExitPolicy policy = new MaxProbability(threshold);
    return earlyExit(withFinalDraft(exits, policy), policy);
  }

  /**
   * Leaves at the first of these exits that a policy takes.
   *
   * @throws InputException if the policy needs probes and an exit has none
   */
  static Strategy earlyExit(Exits exits, ExitPolicy policy) {
    return new AtExits(exits, policy, EarlyExit.MAX_PENDING, true);
  }

  /** The text of full depth to the bit, in fewer passes: guesses are what followed before. */
  static Strategy speculative() {
    return speculative(Exits.none());
  }

  /** The same with guesses by exits too: by the lookahead exit, else by the deepest. */
  static Strategy speculative(Exits exits) {
    return new Guessing(exits, List.of(), OptionalDouble.empty());
  }

  /**
   * The exits among which early exit chooses: those of a file, and the final layer's draft head
   * where they have one. That head has no probe, so a policy that asks probes does not get it.
   */
  static Exits withFinalDraft(Exits stored, ExitPolicy policy) {
    return policy.usesProbe() ? stored : FinalDraft.add(stored);
  }

  /** Every layer for every token. */
  record Full() implements Strategy {
    @Override
    public DecodingStrategy begin(Decoder decoder, int capacity, Device device) {
      return new FullDepth(decoder, capacity, device);
    }
  }

  /**
   * Early exit with an exact KV cache.
   *
   * @param exits that are asked; none is full depth
   * @param policy when one is taken
   * @param maxPending tokens whose deeper layers may wait to be computed, 0 to 15
   * @param guesses whether prompt look-up guesses ahead, which decides how fast a text comes and
   *     never which
   */
  record AtExits(Exits exits, ExitPolicy policy, int maxPending, boolean guesses)
      implements Strategy {
    /** Refuses what cannot be decoded so. */
    public AtExits {
      EarlyExit.check(exits, policy, maxPending);
    }

    @Override
    public DecodingStrategy begin(Decoder decoder, int capacity, Device device) {
      if (exits.exits().isEmpty()) {
        return FULL.begin(decoder, capacity, device);
      }
      Drafter drafter = guesses ? DraftSources.free(capacity) : Drafter.NONE;
      return new EarlyExit(decoder, exits, policy, capacity, maxPending, drafter, device);
    }
  }

  /**
   * Lossless decoding by guesses that are verified several at a time.
   *
   * @param exits that may guess
   * @param drafts who guesses, of {@code prompt-lookup}, {@code early-exit} and {@code lookahead};
   *     empty for all that the exits allow
   * @param threshold confidence below which an exit does not guess; empty for the usual one
   */
  record Guessing(Exits exits, List<String> drafts, OptionalDouble threshold) implements Strategy {
    /** Refuses words that mean nothing. */
    public Guessing {
      Objects.requireNonNull(exits, "exits");
      drafts = List.copyOf(drafts);
      DraftSources.check(drafts, true);
    }

    @Override
    public DecodingStrategy begin(Decoder decoder, int capacity, Device device) {
      List<String> words = drafts.isEmpty() ? DraftSources.defaults(exits) : drafts;
      return new Speculative(
          decoder, DraftSources.of(words, decoder, exits, threshold, capacity), capacity, device);
    }
  }
}
