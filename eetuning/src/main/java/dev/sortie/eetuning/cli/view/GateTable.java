package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Gate;
import java.util.Locale;
import java.util.function.Consumer;

/** Says how well the gates of exits do. */
public final class GateTable {
  private GateTable() {}

  public static void print(Exits exits, Consumer<String> out) {
    for (Exit e : exits.exits()) {
      e.gates().probe().ifPresent(g -> out.accept(line(e, "probe", g)));
      e.gates().coverage().ifPresent(g -> out.accept(line(e, "coverage", g)));
    }
  }

  private static String line(Exit e, String name, Gate gate) {
    return String.format(
        Locale.ROOT,
        "exit after layer %d: %s wrong for %.1f %% of %,d held-out tokens; the more frequent answer for %.1f %%",
        e.depth(),
        name,
        100 * gate.report().error(),
        gate.report().tokens(),
        100 * gate.report().baseError());
  }
}
