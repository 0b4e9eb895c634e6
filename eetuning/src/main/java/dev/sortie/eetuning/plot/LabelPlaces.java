package dev.sortie.eetuning.plot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds a place for the label of each point of a plot: near its point, away from all points and
 * other labels, and if that is possible from lines. A label without a place is left out; the
 * point's hint has its text.
 */
final class LabelPlaces {
  /** Room for a letter and a line of text, in the larger type of narrow screens too. */
  private static final double LETTER = 8.5;

  private static final double ABOVE = 13;
  private static final double BELOW = 2;

  /**
   * A place of a text.
   *
   * @param x where it starts
   * @param y its base line
   */
  record Place(double x, double y) {}

  private record Line(double x1, double y1, double x2, double y2) {}

  private record Box(double left, double top, double right, double bottom) {
    boolean meets(Box other) {
      return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
    }

    /** The line's part within the box's columns, then within its rows, is not empty. */
    boolean meets(Line l) {
      double[] part = {0, 1};
      return clip(part, l.x1(), l.x2() - l.x1(), left, right)
          && clip(part, l.y1(), l.y2() - l.y1(), top, bottom);
    }

    private static boolean clip(double[] part, double from, double step, double low, double high) {
      if (step == 0) {
        return low < from && from < high;
      }
      double one = (low - from) / step;
      double other = (high - from) / step;
      part[0] = Math.max(part[0], Math.min(one, other));
      part[1] = Math.min(part[1], Math.max(one, other));
      return part[0] < part[1];
    }
  }

  private final double left;
  private final double right;
  private final double bottom;
  private final List<Box> taken = new ArrayList<>();
  private final List<Line> lines = new ArrayList<>();

  /** Places for labels within these bounds. */
  LabelPlaces(double left, double right, double bottom) {
    this.left = left;
    this.right = right;
    this.bottom = bottom;
  }

  /** No label lies on this point. */
  void point(double x, double y, double radius) {
    taken.add(new Box(x - radius, y - radius, x + radius, y + radius));
  }

  /** Labels lie on this line only where there is no other place. */
  void line(double x1, double y1, double x2, double y2) {
    lines.add(new Line(x1, y1, x2, y2));
  }

  /** Takes a place for the label of a point; none where there is none, or for an empty label. */
  Optional<Place> take(String text, double x, double y) {
    if (text.isEmpty()) {
      return Optional.empty();
    }
    double width = text.length() * LETTER;
    List<Place> places =
        List.of(
            new Place(x + 9, y - 5),
            new Place(x - 9 - width, y + 16),
            new Place(x + 9, y + 16),
            new Place(x - 9 - width, y - 5),
            new Place(x + 10, y + 5),
            new Place(x - 8 - width, y + 5),
            new Place(x - width / 2, y - 10),
            new Place(x - width / 2, y + 21));
    Optional<Place> found =
        places.stream()
            .filter(p -> free(box(p, width)))
            .filter(p -> lines.stream().noneMatch(box(p, width)::meets))
            .findFirst()
            .or(() -> places.stream().filter(p -> free(box(p, width))).findFirst());
    found.ifPresent(p -> taken.add(box(p, width)));
    return found;
  }

  private static Box box(Place p, double width) {
    return new Box(p.x(), p.y() - ABOVE, p.x() + width, p.y() + BELOW);
  }

  private boolean free(Box box) {
    return box.left() > left
        && box.right() < right
        && box.bottom() < bottom
        && taken.stream().noneMatch(box::meets);
  }
}
