package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Locale;

/** Prints what exits a folder holds. */
final class ExitTable {
  private ExitTable() {}

  static void print(Exits exits, Path folder, PrintStream out) {
    out.println(folder + ":");
    for (Exit e : exits.exits()) {
      long count = e.parameters().values().stream().mapToLong(t -> t.shape().count()).sum();
      out.printf(
          Locale.ROOT,
          "  exit after layer %d: %s, %s head, %,d parameters%n",
          e.depth(),
          e.spec().architecture().word(),
          e.spec().ownHead() ? "own" : "the backbone's",
          count);
    }
  }
}
