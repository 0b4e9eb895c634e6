package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A strict check of HTML and SVG; the JDK's own parser is in a module that this one does not read.
 */
public final class Markup {
  private static final Pattern TAG =
      Pattern.compile("<(/?)([a-zA-Z][a-z0-9]*)((?:\\s+[a-zA-Z0-9:-]+=\"[^\"<]*\")*)\\s*(/?)>");
  private static final Pattern BARE_AMPERSAND = Pattern.compile("&(?!(amp|lt|gt|quot|#39);)");

  private Markup() {}

  /**
   * Fails unless every tag has its end, every attribute quotes, and every special sign its escape.
   */
  public static void assertWellFormed(String text) {
    ArrayDeque<String> open = new ArrayDeque<>();
    Matcher tags = TAG.matcher(text);
    StringBuilder between = new StringBuilder();
    while (tags.find()) {
      tags.appendReplacement(between, "");
      String name = tags.group(2);
      if (!tags.group(1).isEmpty()) {
        assertThat(open.poll()).as("element that </%s> ends", name).isEqualTo(name);
      } else if (tags.group(4).isEmpty()) {
        open.push(name);
      }
    }
    tags.appendTail(between);
    assertThat(open).as("elements without an end").isEmpty();
    assertThat(between).as("text between the tags").doesNotContain("<");
    assertThat(text).doesNotContainPattern(BARE_AMPERSAND);
  }
}
