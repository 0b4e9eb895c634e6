package dev.sortie.eetuning.eval.task;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;
import java.util.regex.Pattern;

/**
 * How near an answer is to its references; the best reference counts.
 *
 * @param exactMatch 1 if the normalised texts are equal (SQuAD: lower case, no ASCII punctuation,
 *     no articles, single spaces)
 * @param f1 harmonic mean of precision and recall of the words of the normalised texts
 * @param rougeL F-measure of the longest common subsequence of words (Lin 2004), words being runs
 *     of a to z and 0 to 9 in lower case, without stemming, as PyPI's {@code rouge-score} has them
 */
public record TextMetrics(double exactMatch, double f1, double rougeL) {
  // Python's \w and \s: Java's classes of these names have other characters
  private static final String WORD = "[\\p{L}\\p{N}_]";
  private static final String SPACES = "[\\s\\x1c-\\x1f\\x85\\p{Z}]+";

  private static final Pattern ARTICLE =
      Pattern.compile("(?<!" + WORD + ")(a|an|the)(?!" + WORD + ")");

  /** Those of {@code answer} against at least one reference. */
  public static TextMetrics of(String answer, List<String> references) {
    return new TextMetrics(
        best(answer, references, TextMetrics::exactMatch),
        best(answer, references, TextMetrics::f1),
        best(answer, references, TextMetrics::rougeL));
  }

  /** The mean over answers. */
  public static TextMetrics mean(List<TextMetrics> items) {
    return new TextMetrics(
        items.stream().mapToDouble(TextMetrics::exactMatch).average().orElseThrow(),
        items.stream().mapToDouble(TextMetrics::f1).average().orElseThrow(),
        items.stream().mapToDouble(TextMetrics::rougeL).average().orElseThrow());
  }

  private static double best(
      String answer, List<String> references, ToDoubleBiFunction<String, String> metric) {
    return references.stream()
        .mapToDouble(r -> metric.applyAsDouble(answer, r))
        .max()
        .orElseThrow(() -> new IllegalArgumentException("an answer needs a reference"));
  }

  static double exactMatch(String answer, String reference) {
    return normalised(answer).equals(normalised(reference)) ? 1 : 0;
  }

  static double f1(String answer, String reference) {
    String[] a = words(normalised(answer));
    String[] r = words(normalised(reference));
    if (a.length == 0 || r.length == 0) {
      return a.length == r.length ? 1 : 0;
    }
    Map<String, Integer> left = new HashMap<>();
    for (String word : r) {
      left.merge(word, 1, Integer::sum);
    }
    int common = 0;
    for (String word : a) {
      if (left.getOrDefault(word, 0) > 0) {
        left.merge(word, -1, Integer::sum);
        common++;
      }
    }
    return harmonic(common, a.length, r.length);
  }

  static double rougeL(String answer, String reference) {
    String[] a = words(lower(answer).replaceAll("[^a-z0-9]+", " "));
    String[] r = words(lower(reference).replaceAll("[^a-z0-9]+", " "));
    if (a.length == 0 || r.length == 0) {
      return 0;
    }
    return harmonic(commonSubsequence(a, r), a.length, r.length);
  }

  /** One row of the table at a time: lengths for all beginnings of {@code b}. */
  private static int commonSubsequence(String[] a, String[] b) {
    int[] row = new int[b.length + 1];
    for (String word : a) {
      int diagonal = 0;
      for (int j = 1; j <= b.length; j++) {
        int above = row[j];
        row[j] = word.equals(b[j - 1]) ? diagonal + 1 : Math.max(above, row[j - 1]);
        diagonal = above;
      }
    }
    return row[b.length];
  }

  private static double harmonic(int common, int answer, int reference) {
    if (common == 0) {
      return 0;
    }
    double precision = (double) common / answer;
    double recall = (double) common / reference;
    return 2 * precision * recall / (precision + recall);
  }

  private static String normalised(String text) {
    String plain = lower(text).replaceAll("\\p{Punct}", "");
    return String.join(" ", words(ARTICLE.matcher(plain).replaceAll(" ")));
  }

  private static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  private static String[] words(String text) {
    return Arrays.stream(text.split(SPACES)).filter(w -> !w.isEmpty()).toArray(String[]::new);
  }
}
