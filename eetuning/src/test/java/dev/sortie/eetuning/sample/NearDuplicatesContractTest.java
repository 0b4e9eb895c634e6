package dev.sortie.eetuning.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.Random;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NearDuplicatesContractTest {
  private static final int LENGTH = 300;

  private static List<String> words(long stream) {
    Random random = new Random(7, stream);
    List<String> words = new ArrayList<>();
    for (int i = 0; i < LENGTH; i++) {
      words.add("w" + random.below(i, 5000));
    }
    return words;
  }

  /** The same text with another end. */
  private static List<String> altered(List<String> words, int kept, long stream) {
    List<String> other = new ArrayList<>(words.subList(0, kept));
    other.addAll(words(stream).subList(kept, LENGTH));
    return other;
  }

  private static double jaccard(List<String> a, List<String> b) {
    Set<List<String>> both = new HashSet<>(shingles(a));
    both.retainAll(shingles(b));
    Set<List<String>> either = new HashSet<>(shingles(a));
    either.addAll(shingles(b));
    return both.size() / (double) either.size();
  }

  private static Set<List<String>> shingles(List<String> words) {
    Set<List<String>> all = new HashSet<>();
    for (int i = 0; i + MinHash.SHINGLE <= words.size(); i++) {
      all.add(List.copyOf(words.subList(i, i + MinHash.SHINGLE)));
    }
    return all;
  }

  /** Four standard deviations for one pair, of the mean over pairs a tenth of that. */
  @ParameterizedTest
  @ValueSource(ints = {0, 60, 150, 240, 285, 300})
  void signaturesEstimateTheJaccardSimilarity(int kept) {
    double error = 0;
    int pairs = 100;
    for (int i = 0; i < pairs; i++) {
      List<String> a = words(2L * i);
      List<String> b = altered(a, kept, 2L * i + 1);
      double exact = jaccard(a, b);
      double estimate = MinHash.similarity(MinHash.of(a), MinHash.of(b));
      assertThat(estimate).isCloseTo(exact, within(4 * 0.0442));
      error += (estimate - exact) / pairs;
    }
    assertThat(error).isCloseTo(0, within(4 * 0.00442));
  }

  @Test
  void findsTextsThatRepeatAnotherAndKeepsTheRest() {
    NearDuplicates seen = new NearDuplicates(0.5);
    int texts = 300;
    for (int i = 0; i < texts; i++) {
      assertThat(seen.add(String.join(" ", words(i)))).as("text " + i).isTrue();
    }
    for (int i = 0; i < texts; i++) {
      // nine tenths are the same: J is 0.8 or so
      List<String> near = altered(words(i), LENGTH * 9 / 10, 10_000 + i);
      assertThat(jaccard(words(i), near)).isGreaterThan(0.75);
      assertThat(seen.add(String.join(" ", near))).as("a text like " + i).isFalse();
      // a third is the same: J is 0.2
      List<String> far = altered(words(i), LENGTH / 3, 20_000 + i);
      assertThat(seen.add(String.join(" ", far))).as("a text unlike " + i).isTrue();
    }
  }

  @Test
  void caseAndPunctuationDoNotCount() {
    NearDuplicates seen = new NearDuplicates(1);
    assertThat(seen.add("The hen sat. \"Go,\" it said.")).isTrue();
    assertThat(seen.add("the Hen sat; go! It said")).isFalse();
    assertThat(seen.add("The hen sat. \"Go,\" he said.")).isTrue();
    assertThat(seen.add("hen")).isTrue();
    assertThat(seen.add("Hen!")).isFalse();
  }
}
