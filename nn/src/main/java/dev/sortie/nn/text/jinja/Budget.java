package dev.sortie.nn.text.jinja;

/** Counts what one rendering costs, and ends it where a limit is reached. */
final class Budget {
  private final TemplateLimits limits;
  private long steps;
  private long made;
  private int depth;

  Budget(TemplateLimits limits) {
    this.limits = limits;
  }

  void step() {
    steps(1);
  }

  /** Counts {@code count} steps before they are taken. */
  void steps(long count) {
    if (count > limits.steps() - steps) {
      throw new ValueException("the template takes more than " + limits.steps() + " steps");
    }
    steps += count;
  }

  /** Counts looking through {@code length} characters. */
  void look(int length) {
    steps(length / 64 + 1);
  }

  /** Counts a text of {@code length} characters before it is made. */
  void text(long length) {
    length(length);
    if (length > limits.made() - made) {
      throw new ValueException(
          "the template makes texts of more than " + limits.made() + " characters together");
    }
    made += length;
  }

  /** Fails if a text of {@code length} characters is too long. */
  void length(long length) {
    if (length > limits.text()) {
      throw new ValueException(
          "the template makes a text of more than " + limits.text() + " characters");
    }
  }

  /** Counts a text that was made, where it cannot be longer than what it was made of. */
  String made(String text) {
    text(text.length());
    return text;
  }

  void enter() {
    if (depth == limits.depth()) {
      throw new ValueException(
          "the template or its values nest more than " + limits.depth() + " levels deep");
    }
    depth++;
  }

  void leave() {
    depth--;
  }
}
