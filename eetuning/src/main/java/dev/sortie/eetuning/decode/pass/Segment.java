package dev.sortie.eetuning.decode.pass;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.Exits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Layers {@code from .. to - 1}, up to an exit or to the end. In a stage of a pipeline that is not
 * the last one, the last segment is the outlet: no layers, its inputs go to the next stage.
 *
 * @param index which segment, from 0
 * @param exit the exit after them; the last segment may have one after the last layer
 */
public record Segment(int index, int from, int to, Optional<Exit> exit) {

  /** What exits cut {@code layers} layers into. */
  public static List<Segment> of(Exits exits, int layers) {
    return of(exits, 0, layers, true);
  }

  /**
   * What exits cut the layers {@code first .. end - 1} of one stage into.
   *
   * @param exits those after layers of this stage
   * @param last whether it is the last stage
   */
  public static List<Segment> of(Exits exits, int first, int end, boolean last) {
    List<Segment> list = new ArrayList<>();
    int from = first;
    Optional<Exit> behindLast = Optional.empty();
    for (Exit e : exits.exits()) {
      if (e.isBehindLastLayer()) {
        behindLast = Optional.of(e);
      } else {
        list.add(new Segment(list.size(), from, e.depth(), Optional.of(e)));
        from = e.depth();
      }
    }
    if (last || from < end) {
      list.add(new Segment(list.size(), from, end, behindLast));
    }
    if (!last) {
      list.add(new Segment(list.size(), end, end, Optional.empty()));
    }
    return List.copyOf(list);
  }

  /** Whether what comes in goes to the next stage. */
  public boolean isOutlet() {
    return from == to;
  }
}
