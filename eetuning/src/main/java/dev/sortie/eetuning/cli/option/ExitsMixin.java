package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The exits of a model, for commands that do without as well. */
public final class ExitsMixin {
  @Option(
      names = "--exits",
      paramLabel = "DIR",
      converter = ExitWords.Folder.class,
      description = ExitWords.FOLDER)
  private Path folder;

  @Mixin private BackboneMixin backbone;

  /** For picocli. */
  public ExitsMixin() {}

  /** Whether there are exits to read. */
  public boolean isGiven() {
    return folder != null;
  }

  /** Their folder, or {@code null} without {@code --exits}. */
  public Path folder() {
    return folder;
  }

  /** Refuses options that need {@code --exits}; to be called before a model is loaded. */
  public void check() {
    backbone.check(folder);
  }

  /** Whether {@code --accept-backbone} is given. */
  boolean acceptsBackbone() {
    return backbone.accepts();
  }

  /** Reads the exits; none without {@code --exits}. */
  public Exits read(LanguageModel m, NativeArena arena, Device device) {
    return backbone.read(folder, m, arena, device);
  }

  /** Reads those at these depths, which decoding asks; only with {@code --exits}. */
  public Exits read(List<Integer> asked, LanguageModel m, NativeArena arena, Device device) {
    return backbone.read(folder, asked, m, arena, device);
  }
}
