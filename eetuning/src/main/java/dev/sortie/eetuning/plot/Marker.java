package dev.sortie.eetuning.plot;

import java.util.Locale;

/** Shapes of points: they tell series apart where colours do not. */
enum Marker {
  CIRCLE("M%1$.2f %2$.2fm-%3$.2f 0a%3$.2f %3$.2f 0 1 0 %4$.2f 0a%3$.2f %3$.2f 0 1 0 -%4$.2f 0z"),
  SQUARE("M%1$.2f %2$.2fm-%3$.2f -%3$.2fh%4$.2fv%4$.2fh-%4$.2fz"),
  TRIANGLE("M%1$.2f %2$.2fm0 -%3$.2fl%3$.2f %4$.2fh-%4$.2fz"),
  DIAMOND("M%1$.2f %2$.2fm0 -%3$.2fl%3$.2f %3$.2fl-%3$.2f %3$.2fl-%3$.2f -%3$.2fz");

  private final String form;

  Marker(String form) {
    this.form = form;
  }

  /** Path data of the shape round a centre. */
  String path(double x, double y, double radius) {
    return String.format(Locale.ROOT, form, x, y, radius, 2 * radius);
  }
}
