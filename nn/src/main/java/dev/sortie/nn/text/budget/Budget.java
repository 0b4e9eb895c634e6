package dev.sortie.nn.text.budget;

import dev.sortie.nn.InputException;

/**
 * What the work on one text may cost: levels that nest, steps, and characters that are made on the
 * way. Tokenizers and templates come with files that anybody may have written, and a few words in
 * them can multiply a text. So each step counts, before it acts where that can be much. Sizes are
 * UTF-16 units. For one thread.
 */
public final class Budget {
  /** A tokenizer's step may make a text so many times as long as the input. NFKD makes 18 of 1. */
  private static final int GROWTH = 32;

  /** And all its steps together. */
  private static final int WORK = 256;

  /** Look-ups for a character. The longest tokens of real vocabularies have 128. */
  private static final int LOOK_UPS = 128;

  /** What an input of any length may cost. */
  private static final int LEAST_TEXT = 1 << 16;

  private static final int LEAST_WORK = 1 << 20;

  /** A value with its place in a list, as characters: 48 bytes. */
  private static final int ITEM = 24;

  /** Makes the error of a budget that is used up. */
  @FunctionalInterface
  public interface Refusal {
    /** The error; {@code message} names the step and the limit. */
    RuntimeException of(String message);
  }

  private final Refusal refusal;
  private final int maxDepth;
  private final String input;
  private long given;
  private long maxSteps;
  private long maxText;
  private long maxMade;
  private String stage;
  private int step;
  private long steps;
  private long made;
  private int depth;

  /**
   * A budget with fixed limits.
   *
   * @param who does the work, in messages
   * @param depth levels
   * @param steps in total
   * @param text the longest text
   * @param made all texts together
   */
  public Budget(String who, int depth, long steps, long text, long made, Refusal refusal) {
    this.stage = who;
    this.input = "";
    this.maxDepth = depth;
    this.maxSteps = steps;
    this.maxText = text;
    this.maxMade = made;
    this.refusal = refusal;
  }

  /**
   * A tokenizer's budget, which grows with the input.
   *
   * @param source the tokenizer's file
   * @param input names what is given, such as "a text"
   * @param length how much is given at first
   */
  public Budget(String source, String input, long length) {
    this.stage = "the tokenizer";
    this.input = input;
    this.maxDepth = 0;
    this.maxSteps = LEAST_WORK;
    this.maxText = LEAST_TEXT;
    this.maxMade = LEAST_WORK;
    this.refusal = message -> new InputException(source + ": " + message);
    give(length);
  }

  /** More of the input is given. */
  public void give(long length) {
    given += length;
    maxSteps += LOOK_UPS * length;
    maxText += GROWTH * length;
    maxMade += WORK * length;
  }

  /** What follows is done by a step, counted from 1, of a stage; messages name it. */
  public void at(String newStage, int newStep) {
    stage = newStage;
    step = newStep;
  }

  /** Counts a step. */
  public void step() {
    steps(1);
  }

  /** Counts {@code count} steps before they are taken. */
  public void steps(long count) {
    if (count > maxSteps - steps) {
      throw spent("takes more than " + maxSteps + " steps");
    }
    steps += count;
  }

  /** Counts looking through {@code length} characters. */
  public void look(int length) {
    steps(length / 64 + 1);
  }

  /** Counts a text of {@code length} characters before it is made. */
  public void text(long length) {
    length(length);
    make(length);
  }

  /** Counts what takes the memory of {@code length} characters. */
  public void make(long length) {
    if (length > maxMade - made) {
      throw spent("makes texts of more than " + maxMade + " characters together");
    }
    made += length;
  }

  /** Counts values that are made, or kept in a list or a dict: each is a step and takes memory. */
  public void items(long count) {
    steps(count);
    make(ITEM * count);
  }

  /** Fails if a text of {@code length} characters is too long. */
  public void length(long length) {
    if (length > maxText) {
      throw spent("makes a text of more than " + maxText + " characters");
    }
  }

  /** Counts a text that was made, where it cannot be much longer than what it was made of. */
  public String made(String text) {
    text(text.length());
    return text;
  }

  /** Goes down a level. */
  public void enter() {
    if (depth == maxDepth) {
      throw spent("or its values nest more than " + maxDepth + " levels deep");
    }
    depth++;
  }

  /** Goes up a level. */
  public void leave() {
    depth--;
  }

  private RuntimeException spent(String what) {
    String place = step == 0 ? stage : stage + " step " + step;
    String whole =
        input.isEmpty()
            ? ""
            : " for " + input + " of " + given + " characters; take another tokenizer";
    return refusal.of(place + " " + what + whole);
  }
}
