package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The exits that tuning begins with. */
public final class StartExitsMixin {
  @Option(
      names = "--exits",
      required = true,
      paramLabel = "DIR",
      converter = ExitWords.Folder.class,
      description = "Folder with the initial exits. It is not changed.")
  private Path folder;

  /** Refuses to write to where they are. */
  public void checkOut(Path out) {
    if (isSame(out, folder)) {
      throw new UsageException(
          "--out "
              + out
              + " is the folder of --exits; the exits to begin with stay as they are, give another folder");
    }
  }

  /** By whatever names and links. */
  private static boolean isSame(Path a, Path b) {
    try {
      return Files.exists(a) && Files.exists(b) && Files.isSameFile(a, b);
    } catch (IOException e) {
      throw InputFiles.cannotRead(a, e);
    }
  }

  /** What they are, without their weights. */
  public List<ExitOutline> outlines(DecoderConfig config) {
    return ExitsFile.outlines(folder, config);
  }

  /**
   * Exits in memory of their own.
   *
   * @param arena has their weights and nothing else
   */
  public record Held(Exits exits, NativeArena arena) implements AutoCloseable {
    /** Frees their weights, once something has copied them. */
    public void free() {
      arena.close();
    }

    @Override
    public void close() {
      free();
    }
  }

  /** This rank's part of them, in memory of {@code arena}. */
  public Exits read(LanguageModel m, NativeArena arena, Device device) {
    Exits start = ExitsReader.of(m).exact().read(folder, arena, device.kernels());
    if (start.exits().isEmpty() && start.lookahead().isEmpty()) {
      throw new InputException(folder + " holds no exits; make some with add-exits");
    }
    return start;
  }

  /** This rank's part of them, to be freed. */
  public Held hold(LanguageModel m, Device device) {
    NativeArena arena = new NativeArena("exits");
    try {
      return new Held(read(m, arena, device), arena);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }
}
