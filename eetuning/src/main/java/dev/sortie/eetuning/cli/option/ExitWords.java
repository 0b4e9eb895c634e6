package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.host.ExitsName;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import java.nio.file.Path;
import java.util.Iterator;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The words of options that name exits, and of those that say how exits are made. */
public final class ExitWords {
  /** For the help of options: a folder whose exits are decoded or scored with. */
  public static final String FOLDER =
      "Folder with exits, or a name of exits that come with Sortie: fable, or smollm2 "
          + "for SmolLM2-135M-Instruct. Exits are held in memory as Q8_0, as F32 for a "
          + "model in F32, or as BF16 for a small model in BF16.";

  /** Reads the word of an option that takes such a folder. */
  public static final class Folder implements ITypeConverter<Path> {
    /** For picocli. */
    public Folder() {}

    @Override
    public Path convert(String word) {
      try {
        return ExitsName.path(word);
      } catch (InputException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** The words of {@code --arch}, for help and completion. */
  public static final class Architectures implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return ExitArchitecture.words().iterator();
    }
  }

  private ExitWords() {}

  /** Whether {@code --head} asks for a head of the exit's own. */
  public static boolean ownHead(String word) {
    return switch (word) {
      case "own" -> true;
      case "backbone" -> false;
      default -> throw new UsageException("--head '" + word + "' is unknown; take own or backbone");
    };
  }
}
