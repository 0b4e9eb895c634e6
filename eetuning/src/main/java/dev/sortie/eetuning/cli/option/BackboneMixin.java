package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cost.ActiveExits;
import dev.sortie.eetuning.eval.BackboneCheck;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.exit.FinalDraft;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** Reads the exits of {@code --exits}, also those of another backbone if the user accepts that. */
public final class BackboneMixin {
  @Option(
      names = "--accept-backbone",
      description =
          "Accept exits that were tuned for another model of the same sizes, such as "
              + "another quantisation of it. Their agreement with the final layer of "
              + "this model is measured first and printed on standard error.")
  private boolean accept;

  /** For picocli. */
  public BackboneMixin() {}

  /** Whether exits of any backbone are accepted. */
  boolean accepts() {
    return accept;
  }

  /** Refuses to accept what is not there: {@code folder} is that of {@code --exits}, or null. */
  public void check(Path folder) {
    if (accept && folder == null) {
      throw new UsageException("--accept-backbone needs --exits DIR");
    }
  }

  /**
   * The exits of a folder.
   *
   * @param folder maybe {@code null}: no exits
   */
  public Exits read(Path folder, LanguageModel m, NativeArena arena, Device device) {
    return folder == null ? Exits.none() : read(folder, reader(m), m, arena, device);
  }

  /**
   * Those of its exits that stand at these depths: {@link ExitsReader#asked}. Of another backbone
   * all are read, and measured.
   */
  public Exits read(
      Path folder, List<Integer> asked, LanguageModel m, NativeArena arena, Device device) {
    return accept
        ? ActiveExits.at(FinalDraft.add(read(folder, m, arena, device)), asked)
        : read(folder, reader(m).asked(asked), m, arena, device);
  }

  private static Exits read(
      Path folder, ExitsReader reader, LanguageModel m, NativeArena arena, Device device) {
    Exits exits = reader.read(folder, arena, device.kernels());
    if (!exits.backbones().contains(m.sha256())) {
      warn(folder, exits, m, device);
    }
    return exits;
  }

  /**
   * The exits of a folder in F32, for what goes into a file again. A backbone that was accepted is
   * then among those that they were measured on.
   */
  public Exits readExact(Path folder, LanguageModel m, NativeArena arena, Device device) {
    Exits exits = reader(m).exact().read(folder, arena, device.kernels());
    if (exits.backbones().contains(m.sha256())) {
      return exits;
    }
    warn(folder, exits, m, device);
    List<String> checked = new ArrayList<>(exits.checkedBackbones());
    checked.add(m.sha256());
    return new Exits(
        exits.backboneSha256(),
        checked,
        exits.tuning(),
        exits.exits(),
        exits.lookahead(),
        exits.ngrams());
  }

  /** Without the option, exits of another backbone are refused. */
  private ExitsReader reader(LanguageModel m) {
    return accept ? ExitsReader.of(m).ofAnyBackbone() : ExitsReader.of(m);
  }

  private static void warn(Path folder, Exits exits, LanguageModel m, Device device) {
    BackboneCheck check = BackboneCheck.of(m, exits, device);
    System.err.printf(
        Locale.ROOT,
        "warning: the exits of %s were tuned for another backbone (SHA-256 %.12s…, that of %s is %.12s…)%n"
            + "warning: share of %d tokens of English where they agree with its final layer: %s; thresholds hold only if calibrate made them with this model%n",
        folder,
        exits.backboneSha256(),
        m.path(),
        m.sha256(),
        check.tokens(),
        check.agreement().entrySet().stream()
            .map(e -> String.format(Locale.ROOT, "exit %s %.2f", e.getKey(), e.getValue()))
            .collect(Collectors.joining(", ")));
  }
}
