package dev.sortie.eetuning.decode.speculative;

import java.util.Random;

/** Knows the text, and is wrong on purpose now and then. */
final class Oracle implements DraftSource {
  private final int[] text;
  private final boolean[] wrong;
  private final double cost;

  /**
   * @param percent of positions drafted wrong
   * @param cost as of {@link DraftSource#cost}
   */
  Oracle(int[] text, int percent, double cost) {
    this.text = text;
    this.cost = cost;
    this.wrong = new boolean[text.length];
    Random random = new Random(8);
    for (int i = 0; i < wrong.length; i++) {
      wrong[i] = random.nextInt(100) < percent;
    }
  }

  @Override
  public String name() {
    return "oracle";
  }

  @Override
  public Draft draft(DraftContext context, int max) {
    int[] tokens = new int[Math.min(max, text.length - context.length())];
    for (int i = 0; i < tokens.length; i++) {
      int at = context.length() + i;
      tokens[i] = wrong[at] ? (text[at] + 1) % 256 : text[at];
    }
    return new Draft(tokens, 0);
  }

  @Override
  public void rewind(int count) {}

  @Override
  public double cost() {
    return cost;
  }

  @Override
  public void close() {}
}
