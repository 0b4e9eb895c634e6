package dev.sortie.eetuning.sample;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** A text as filters compare it: its words without case and punctuation. */
public final class Words {
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+(['\u2019][\\p{L}]+)*");

  private Words() {}

  /** The words in their order. */
  public static List<String> of(String text) {
    return WORD.matcher(text.toLowerCase(Locale.ROOT)).results().map(MatchResult::group).toList();
  }

  /** Share of the n-grams of words that stood in the text before. */
  public static double repeated(String text, int n) {
    List<String> words = of(text);
    int count = words.size() - n + 1;
    if (count < 1) {
      return 0;
    }
    Set<List<String>> distinct = new HashSet<>();
    for (int i = 0; i < count; i++) {
      distinct.add(words.subList(i, i + n));
    }
    return (count - distinct.size()) / (double) count;
  }
}
