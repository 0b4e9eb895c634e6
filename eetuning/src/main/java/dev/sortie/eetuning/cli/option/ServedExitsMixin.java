package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.Strategy;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The exits of a server, and where texts leave unless a request says otherwise. */
public final class ServedExitsMixin {
  @Mixin private ExitsMixin exitSource;

  @Mixin private ActiveMixin active;

  @Option(
      names = "--threshold",
      paramLabel = "X",
      description =
          "Exit threshold for requests that set none: a token exits when the "
              + "confidence reaches it; 1 never exits. Default: 0.8.")
  private Double threshold;

  @Mixin private ThresholdsMixin thresholds;

  /** For picocli. */
  public ServedExitsMixin() {}

  /** Where texts leave; checked before a model is loaded. */
  public ExitPolicy policy() {
    exitSource.check();
    if (!exitSource.isGiven()) {
      if (threshold != null || thresholds.isGiven() || active.isGiven()) {
        throw new UsageException("--threshold, --thresholds and --active need --exits DIR");
      }
      return new MaxProbability(1);
    }
    boolean others = threshold != null || active.isGiven();
    thresholds.refuseNextTo(others);
    return thresholds
        .take(others ? null : exitSource.folder())
        .<ExitPolicy>map(c -> new ExitThresholds(c.thresholds()))
        .orElseGet(
            () -> new MaxProbability(threshold == null ? DecodingMixin.THRESHOLD : threshold));
  }

  /** The exits that requests may ask for; those of {@link #policy} where thresholds name them. */
  public Exits exits(ExitPolicy policy, LanguageModel m, NativeArena arena, Device device) {
    if (!exitSource.isGiven()) {
      return Exits.none();
    }
    if (policy instanceof ExitThresholds each) {
      Exits asked = exitSource.read(each.asked(), m, arena, device);
      thresholds.check(exitSource.folder(), m);
      return asked;
    }
    Exits all = Strategy.withFinalDraft(exitSource.read(m, arena, device), policy);
    thresholds.check(exitSource.folder(), m);
    return active.choose(all, m, EarlyExit.MAX_PENDING, device);
  }
}
