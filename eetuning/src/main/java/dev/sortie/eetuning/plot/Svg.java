package dev.sortie.eetuning.plot;

import dev.sortie.eetuning.display.NumberText;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.nn.file.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A small SVG drawing. Colours and fonts come from CSS classes, so that one drawing serves light
 * and dark pages; own rather than AWT's, which fails on a machine without fonts.
 */
public final class Svg {
  /** How every file that {@link #write} makes begins. */
  public static final String BEGINNING = "<?xml";

  /** Room for the title above a drawing that stands alone. */
  private static final double TITLE = 36;

  private final StringBuilder body = new StringBuilder();
  private final String id;
  private final String title;
  private final String description;
  private final double width;
  private final double height;

  /**
   * @param id unique in the page
   * @param title short name, read out in place of the picture
   * @param description what the picture says, for those who do not see it
   */
  Svg(String id, String title, String description, double width, double height) {
    this.id = id;
    this.title = title;
    this.description = description;
    this.width = width;
    this.height = height;
  }

  void line(String css, double x1, double y1, double x2, double y2) {
    body.append(
        "<line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n"
            .formatted(css, px(x1), px(y1), px(x2), px(y2)));
  }

  /** Text at a base line; {@code css} has one of the classes start, middle, end. */
  void text(String css, double x, double y, String text) {
    body.append(
        "<text class=\"%s\" x=\"%s\" y=\"%s\">%s</text>\n"
            .formatted(css, px(x), px(y), SafeText.html(text)));
  }

  /** A shape from path data, with a text that a pointer brings up; no text if it is empty. */
  void path(String css, String data, String hint) {
    body.append("<path class=\"%s\" d=\"%s\"".formatted(css, data));
    if (hint.isEmpty()) {
      body.append("/>\n");
    } else {
      body.append("><title>").append(SafeText.html(hint)).append("</title></path>\n");
    }
  }

  void rect(String css, double x, double y, double w, double h, String hint) {
    path(css, "M%s %sh%sv%sh%sz".formatted(px(x), px(y), px(w), px(h), px(-w)), hint);
  }

  /** A coordinate with two decimals: finer than any screen. */
  static String px(double value) {
    return NumberText.plain(Double.parseDouble(String.format(Locale.ROOT, "%.2f", value)));
  }

  /** The drawing as an element of an HTML page that has the styles. */
  public String inline() {
    return element(0, "");
  }

  /** Writes the drawing as an SVG file of its own, with styles and title, whole or not at all. */
  public void write(Path file, Palette palette) {
    String head =
        """
        <style>
        %s</style>
        <rect class="paper" y="%s" width="100%%" height="100%%"/>
        <text class="series ink start" x="6" y="%s">%s</text>
        """
            .formatted(
                StyleSheets.plot() + palette.css(),
                px(-TITLE),
                px(24 - TITLE),
                SafeText.html(title));
    String text = BEGINNING + " version=\"1.0\" encoding=\"UTF-8\"?>\n" + element(TITLE, head);
    AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  private String element(double above, String head) {
    return """
    <svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 %s %s %s"
    role="img" aria-labelledby="%s-title %s-text">
    <title id="%s-title">%s</title>
    <desc id="%s-text">%s</desc>
    %s%s</svg>
    """
        .formatted(
            px(-above),
            px(width),
            px(height + above),
            id,
            id,
            id,
            SafeText.html(title),
            id,
            SafeText.html(description),
            head,
            body);
  }
}
