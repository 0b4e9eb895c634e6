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

/** How the logits of a text's tokens are computed. A value; each text starts its own decoding. */
public sealed interface Strategy {

  /** Every layer for every token. */
  Strategy FULL = new Full();

  /**
   * Starts a text.
   *
   * @param decoder of the model that the exits belong to
   * @param capacity tokens to allocate, for prompt and answer
   * @return decoding of one text, to be closed
   */
  DecodingStrategy begin(Decoder decoder, int capacity, Device device);

  /**
   * Early exit: leaves at the first exit whose largest probability reaches a threshold.
   *
   * @param exits to evaluate, followed by the final layer's draft head if they have one
   * @param threshold 0 to 1; 1 never leaves
   */
  static Strategy earlyExit(Exits exits, double threshold) {
    ExitPolicy policy = new MaxProbability(threshold);
    return earlyExit(withFinalDraft(exits, policy), policy);
  }

  /**
   * Early exit: leaves at the first of these exits that a policy takes.
   *
   * @throws InputException if the policy needs probes and an exit has none
   */
  static Strategy earlyExit(Exits exits, ExitPolicy policy) {
    return new AtExits(exits, policy, EarlyExit.MAX_PENDING, true);
  }

  /** Speculative decoding with prompt look-up: the bits of full depth in fewer passes. */
  static Strategy speculative() {
    return speculative(Exits.none());
  }

  /** Speculative decoding that also drafts with the lookahead exit, or else the deepest exit. */
  static Strategy speculative(Exits exits) {
    return new Speculation(exits, List.of(), OptionalDouble.empty());
  }

  /**
   * The exits that early exit evaluates: those of a file, and the final layer's draft head if they
   * have one. That head has no probe, so policies that need probes do not use it.
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
   * @param exits to evaluate; none means full depth
   * @param policy decides whether an exit is taken
   * @param maxPending maximum number of tokens whose deeper layers are not yet computed, 0 to 15
   * @param drafts whether prompt look-up drafts tokens, and n-grams where they lie with the exits;
   *     this changes the speed and not the text
   */
  record AtExits(Exits exits, ExitPolicy policy, int maxPending, boolean drafts)
      implements Strategy {
    /** Checks that the exits can be decoded with. */
    public AtExits {
      EarlyExit.check(exits, policy, maxPending);
    }

    @Override
    public DecodingStrategy begin(Decoder decoder, int capacity, Device device) {
      exits.requireOf(decoder);
      if (exits.exits().isEmpty()) {
        return FULL.begin(decoder, capacity, device);
      }
      Drafter drafter = drafts ? DraftSources.free(exits, capacity) : Drafter.NONE;
      return new EarlyExit(decoder, exits, policy, capacity, maxPending, drafter, device);
    }
  }

  /**
   * Speculative decoding: drafts are verified several at a time, with the text of full depth.
   *
   * @param exits that may draft
   * @param drafts sources of drafts: {@code prompt-lookup}, {@code ngrams}, {@code early-exit},
   *     {@code lookahead}; empty for all that the exits allow
   * @param threshold confidence below which an exit does not draft; empty for the default
   */
  record Speculation(Exits exits, List<String> drafts, OptionalDouble threshold)
      implements Strategy {
    /** Checks the names of sources. */
    public Speculation {
      Objects.requireNonNull(exits, "exits");
      drafts = List.copyOf(drafts);
      DraftSources.check(drafts, true);
    }

    @Override
    public DecodingStrategy begin(Decoder decoder, int capacity, Device device) {
      exits.requireOf(decoder);
      List<String> words = drafts.isEmpty() ? DraftSources.defaults(exits) : drafts;
      return new Speculative(
          decoder, DraftSources.of(words, decoder, exits, threshold, capacity), capacity, device);
    }
  }
}
