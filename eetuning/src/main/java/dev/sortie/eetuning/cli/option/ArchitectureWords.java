package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.exit.ExitArchitecture;
import java.util.Iterator;

/** The words of {@code --arch}, for help and completion. */
public final class ArchitectureWords implements Iterable<String> {
  @Override
  public Iterator<String> iterator() {
    return ExitArchitecture.words().iterator();
  }
}
