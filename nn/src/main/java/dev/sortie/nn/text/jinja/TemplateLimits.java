package dev.sortie.nn.text.jinja;

/**
 * What a template may cost. Templates come with model files, so they are untrusted.
 *
 * @param source its text, in characters
 * @param depth nesting of blocks, expressions, calls and values
 * @param steps expressions, statements and items that are looked at
 * @param text the longest text, in characters
 * @param made all texts made on the way together, in characters
 */
public record TemplateLimits(int source, int depth, long steps, int text, long made) {
  /**
   * A megabyte of template, texts of a quarter of a gigabyte, and ten million steps, a second or
   * so; the largest known templates have 30 kB and take some hundred steps a message. 300 levels
   * fit into half a megabyte of stack.
   */
  public static final TemplateLimits DEFAULT =
      new TemplateLimits(1 << 20, 300, 10_000_000, 1 << 24, 1L << 27);
}
