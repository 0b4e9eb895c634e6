package dev.sortie.eetuning.sample;

import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** A text as filters compare it: its words without case and punctuation. */
final class Words {
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+(['\u2019][\\p{L}]+)*");

  private Words() {}

  /** The words in their order. */
  static List<String> of(String text) {
    return WORD.matcher(text.toLowerCase(Locale.ROOT)).results().map(MatchResult::group).toList();
  }
}
