package dev.sortie.eetuning.sample;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The form in which texts are kept: a paragraph a line, no empty lines, no space at ends. */
final class PlainText {
  /** Characters that typesetters use, and what ASCII has for them. */
  private static final Map<Character, String> ASCII =
      Map.of(
          '\u2018', "'",
          '\u2019', "'",
          '\u201c', "\"",
          '\u201d', "\"",
          '\u2013', "-",
          '\u2014', " - ",
          '\u2026', "...",
          '\u00a0', " ");

  private PlainText() {}

  /**
   * A text in this form.
   *
   * @param ascii whether typographic characters become those of ASCII
   */
  static String of(String text, boolean ascii) {
    String plain = ascii ? toAscii(text) : text;
    List<String> lines =
        plain
            .lines()
            .map(line -> line.strip().replaceAll(" {2,}", " "))
            .filter(line -> !line.isEmpty())
            .toList();
    return String.join("\n", lines);
  }

  private static String toAscii(String text) {
    return text.chars()
        .mapToObj(c -> ASCII.getOrDefault((char) c, String.valueOf((char) c)))
        .collect(Collectors.joining());
  }
}
