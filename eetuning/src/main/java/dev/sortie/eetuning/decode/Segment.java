package dev.sortie.eetuning.decode;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Layers {@code from .. to - 1}, up to an exit or to the end.
 *
 * @param index which segment, from 0
 * @param exit the exit behind them; empty for the last segment
 */
record Segment(int index, int from, int to, Optional<Exit> exit) {

  /** What exits cut {@code layers} layers into. */
  static List<Segment> of(Exits exits, int layers) {
    List<Segment> list = new ArrayList<>();
    int from = 0;
    for (Exit e : exits.exits()) {
      list.add(new Segment(list.size(), from, e.depth(), Optional.of(e)));
      from = e.depth();
    }
    list.add(new Segment(list.size(), from, layers, Optional.empty()));
    return List.copyOf(list);
  }
}
