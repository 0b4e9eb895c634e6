package dev.sortie.eetuning.plot;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The style sheets, which are resources of this package and become part of each page. */
public final class StyleSheets {
  private StyleSheets() {}

  /** Styles of the page round the plots. */
  public static String page() {
    return resource("page.css");
  }

  /** Styles of every plot. */
  public static String plot() {
    return resource("plot.css");
  }

  private static String resource(String name) {
    try (InputStream in = StyleSheets.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(
            name
                + " is missing next to "
                + StyleSheets.class.getName()
                + "; build the module again");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be read", e);
    }
  }
}
