package dev.sortie.eetuning.display;

/** Untrusted text inside HTML and SVG. */
public final class Html {
  private Html() {}

  /** The text as content or as a quoted attribute's value; hidden characters become visible. */
  public static String escape(String text) {
    return SafeText.visible(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
