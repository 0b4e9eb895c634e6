package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.exit.ExitArchitecture;
import java.util.Iterator;

/** The words of {@code --arch}, for help and completion. */
final class ArchitectureWords implements Iterable<String> {
  @Override
  public Iterator<String> iterator() {
    return ExitArchitecture.words().iterator();
  }
}
