package dev.sortie.nn.text.jinja;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.util.Arrays;

/** A template's text with its origin: makes messages that name the place. */
final class TemplateSource {
  private static final int LONGEST_MESSAGE = 1000;

  private final String origin;
  private final String text;
  private final int[] lineStarts;

  /**
   * A source as Jinja sees it: line ends become line feeds, and one at the very end is left out.
   *
   * @param origin names the file and field in messages
   */
  TemplateSource(String origin, String raw) {
    this.origin = origin;
    String unix = raw.replace("\r\n", "\n").replace('\r', '\n');
    this.text = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
    int[] starts = new int[1 + (int) text.chars().filter(c -> c == '\n').count()];
    int line = 1;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\n') {
        starts[line++] = i + 1;
      }
    }
    this.lineStarts = starts;
  }

  String text() {
    return text;
  }

  String origin() {
    return origin;
  }

  /** The place of character {@code offset}. */
  Place place(int offset) {
    int found = Arrays.binarySearch(lineStarts, offset);
    int line = found >= 0 ? found : -found - 2;
    return new Place(line + 1, offset - lineStarts[line] + 1);
  }

  /** An error at a place. The message may hold text that the template made. */
  InputException error(Place at, String message) {
    return new InputException(
        "%s: line %d, column %d: %s"
            .formatted(
                origin,
                at.line(),
                at.column(),
                Printable.line(message.replaceAll("\\s+", " "), LONGEST_MESSAGE)));
  }

  /** An error for what Jinja has and this engine has not. */
  InputException unsupported(Place at, String construct) {
    return error(
        at, construct + " is not supported in chat templates here; change or replace the template");
  }

  /**
   * Where something stands in a template.
   *
   * @param line from 1
   * @param column from 1, in UTF-16 units
   */
  record Place(int line, int column) {}
}
