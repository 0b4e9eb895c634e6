package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;

/**
 * What a template may cost. Templates come with model files, so they are untrusted.
 *
 * @param source its text, in characters
 * @param depth nesting of blocks, expressions, calls and values
 * @param steps expressions, statements and items that are looked at
 * @param text the longest text, in characters
 * @param made all texts and lists made on the way together, in characters
 */
public record TemplateLimits(int source, int depth, long steps, int text, long made) {
  /**
   * A megabyte of template, texts and lists of 160 MB, and ten million steps, a second or so; the
   * largest known templates have 30 kB, take some hundred steps per message and copy its text some
   * eight times. 300 levels fit into half a megabyte of stack.
   */
  public static final TemplateLimits DEFAULT =
      new TemplateLimits(1 << 20, 300, 10_000_000, 1 << 23, 80_000_000);

  /** What one rendering may cost. */
  Budget budget() {
    return new Budget("the template", depth, steps, text, made, ValueException::new);
  }
}
