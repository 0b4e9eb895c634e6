package dev.sortie.eetuning.eval;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The style sheets, which are resources beside this class and become part of each page. */
public final class ReportStyle {
  private ReportStyle() {}

  /** Styles of the page round the plots. */
  public static String page() {
    return resource("page.css");
  }

  /** Styles of every plot. */
  public static String plot() {
    return resource("plot.css");
  }

  private static String resource(String name) {
    try (InputStream in = ReportStyle.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(
            name
                + " is missing beside "
                + ReportStyle.class.getName()
                + "; build the module again");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be read", e);
    }
  }
}
