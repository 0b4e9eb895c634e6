package dev.sortie.eetuning.eval;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/** Loss curves as a picture of their own. */
public final class LossPlot {
  private LossPlot() {}

  /**
   * Writes an SVG file, whole or not at all; name it {@code *.svg}. It follows the viewer's light
   * or dark colour scheme and needs no font of its own. Series may be empty.
   *
   * @param series losses per name, such as "exit 3" and "final", in the order of the colours: light
   *     first
   * @throws dev.sortie.nn.InputException if the disk or the permissions do not allow it
   */
  public static void write(Path file, SequencedMap<String, List<LossPoint>> series, String title) {
    Palette palette = new Palette(List.copyOf(series.keySet()));
    List<LinePlot.Series> lines = new ArrayList<>();
    series.forEach(
        (name, points) ->
            lines.add(new LinePlot.Series(name, palette.index(name), List.copyOf(points))));
    LinePlot.draw("loss", title, lines).write(file, ReportStyle.plot() + palette.css());
  }
}
