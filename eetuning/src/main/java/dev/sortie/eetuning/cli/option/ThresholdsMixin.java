package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.calibrate.Calibrated;
import dev.sortie.eetuning.calibrate.ThresholdsFile;
import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Calibrated thresholds: those of {@code --thresholds}, or those that lie with the exits. */
public final class ThresholdsMixin {
  /** The file in a folder of exits that is taken where nothing else is said. */
  static final String DEFAULT = "thresholds.json";

  @Option(
      names = "--thresholds",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Thresholds file written by calibrate for these exits; replaces "
              + "--threshold. Default: "
              + DEFAULT
              + " in the folder of --exits, if there is one and no option sets other "
              + "thresholds."
              + ReadOnce.HELP)
  private Path given;

  private Path taken;
  private Calibrated calibrated;

  /** For picocli. */
  public ThresholdsMixin() {}

  boolean isGiven() {
    return given != null;
  }

  /**
   * Refuses a file next to options that say the same.
   *
   * @param others whether {@code --threshold} or {@code --active} is given
   */
  void refuseNextTo(boolean others) {
    if (isGiven() && others) {
      throw new UsageException(
          this + " says which exits are evaluated and when; leave out --threshold and --active");
    }
  }

  /** What was given, for messages. */
  @Override
  public String toString() {
    return "--thresholds " + given;
  }

  /**
   * Reads the file that was given or, without one, that of a folder of exits.
   *
   * @param exits maybe {@code null}: only what was given is read
   */
  Optional<Calibrated> take(Path exits) {
    Path beside = exits == null ? null : exits.resolve(DEFAULT);
    taken = given != null ? given : beside != null && Files.exists(beside) ? beside : null;
    calibrated = taken == null ? null : ThresholdsFile.read(taken);
    return Optional.ofNullable(calibrated);
  }

  /** Fails if what was taken is of other exits, or of a model that computes otherwise. */
  void check(Path exits, LanguageModel m) {
    if (taken == null) {
      return;
    }
    try {
      ThresholdsFile.check(taken, calibrated, exits, m);
    } catch (InputException e) {
      throw given != null ? e : new InputException(e.getMessage() + ", or set --threshold", e);
    }
  }
}
