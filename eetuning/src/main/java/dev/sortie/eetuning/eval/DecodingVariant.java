package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Drafter;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.decode.speculative.DraftSources;
import dev.sortie.eetuning.decode.speculative.EarlyExitDraft;
import dev.sortie.eetuning.decode.speculative.Speculative;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.IntFunction;

/**
 * One way of decoding, to be compared with others.
 *
 * @param strategy its name, such as {@code early-exit}
 * @param technique by what it may be faster than full depth
 * @param threshold confidence from which an exit is taken; 1 where there is none
 * @param active depths of the exits that are given; empty at full depth
 * @param rests whether exits that are not taken for long are asked less often
 * @param draftDepth depth of the exit that drafts; 0 where none does
 * @param opener makes a new sequence with room for so many tokens
 */
public record DecodingVariant(
    String strategy,
    Technique technique,
    double threshold,
    List<Integer> active,
    boolean rests,
    int draftDepth,
    IntFunction<DecodingStrategy> opener) {
  /** Tokens leave at exits. */
  public static final String EARLY_EXIT = "early-exit";

  /** The same texts, with drafts by prompt look-up. */
  public static final String EARLY_EXIT_DRAFTS = EARLY_EXIT + "+prompt-lookup";

  /** Speculative decoding: drafts, and the text of full depth. */
  public static final String SPECULATIVE = "speculative";

  /** Tokens leave at exits that were tuned before. */
  public static final String READY_EXITS = "ready-exits";

  private static final String FULL = "full";

  public DecodingVariant {
    active = List.copyOf(active);
  }

  /** The unmodified backbone. */
  public static DecodingVariant full(LanguageModel model, Device device) {
    return new DecodingVariant(
        FULL,
        Technique.NONE,
        1,
        List.of(),
        false,
        0,
        capacity -> new FullDepth(model.decoder(), capacity, device));
  }

  /**
   * Early exits with a policy.
   *
   * @param threshold names the policy in plots and tables
   * @param drafts whether prompt look-up drafts too, with the same texts
   */
  public static DecodingVariant early(
      String strategy,
      LanguageModel model,
      Exits exits,
      ExitPolicy policy,
      double threshold,
      boolean drafts,
      Device device) {
    return new DecodingVariant(
        strategy,
        Technique.of(!policy.never(), drafts),
        threshold,
        exits.depths(),
        policy.rests(),
        0,
        capacity ->
            new EarlyExit(
                model.decoder(),
                exits,
                policy,
                capacity,
                EarlyExit.MAX_PENDING,
                drafts ? DraftSources.free(exits, capacity) : Drafter.NONE,
                device));
  }

  /**
   * Early exits with a threshold each.
   *
   * @param exits among which are those that have thresholds
   * @param drafts as above
   */
  public static DecodingVariant early(
      String strategy,
      LanguageModel model,
      Exits exits,
      ExitThresholds policy,
      boolean drafts,
      Device device) {
    Exits asked = ActiveExits.at(exits, policy.asked());
    return early(strategy, model, asked, policy, policy.least(), drafts, device);
  }

  /** Depths of the exits that are checked: none at a threshold that no token reaches. */
  List<Integer> checked() {
    return technique.leaves() ? active : List.of();
  }

  /** The same, counted as another technique. */
  DecodingVariant as(Technique other) {
    return new DecodingVariant(strategy, other, threshold, active, rests, draftDepth, opener);
  }

  /**
   * Lossless decoding.
   *
   * @param drafts who drafts, words of {@link DraftSources}
   * @param threshold confidence below which exits do not draft; empty for the default
   */
  public static DecodingVariant speculative(
      String strategy,
      LanguageModel model,
      Exits exits,
      List<String> drafts,
      OptionalDouble threshold,
      Device device) {
    Decoder decoder = model.decoder();
    return new DecodingVariant(
        strategy,
        Technique.DRAFTS,
        1,
        List.of(),
        false,
        drafts.contains(EarlyExitDraft.NAME) ? exits.deepest() : 0,
        capacity ->
            new Speculative(
                decoder,
                DraftSources.of(drafts, decoder, exits, threshold, capacity),
                capacity,
                device));
  }
}
