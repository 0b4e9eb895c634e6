package dev.sortie.eetuning.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopTextContractTest {

  private static StopText stops(String... stops) {
    return new StopText(List.of(stops));
  }

  /** What is shown of a text that comes in these parts. */
  private static String shown(List<String> stops, List<String> parts) {
    StopText watcher = new StopText(stops);
    StringBuilder out = new StringBuilder();
    for (String part : parts) {
      out.append(watcher.add(part));
      if (watcher.found()) {
        break;
      }
    }
    return out.append(watcher.rest()).toString();
  }

  @Test
  void withoutStopsEverythingPassesAtOnce() {
    StopText watcher = stops();
    assertThat(watcher.add("any")).isEqualTo("any");
    assertThat(watcher.add("")).isEmpty();
    assertThat(watcher.rest()).isEmpty();
    assertThat(watcher.found()).isFalse();
  }

  @Test
  void aStopAcrossTokenBordersIsFoundAndNotShown() {
    StopText watcher = stops("END");
    assertThat(watcher.add("abE")).isEqualTo("ab");
    assertThat(watcher.add("N")).isEmpty();
    assertThat(watcher.found()).isFalse();
    assertThat(watcher.add("D and more")).isEmpty();
    assertThat(watcher.found()).isTrue();
    assertThat(watcher.rest()).isEmpty();
  }

  @Test
  void whatOnlyBeganLikeAStopIsShownLater() {
    StopText watcher = stops("END");
    assertThat(watcher.add("aEN")).isEqualTo("a");
    assertThat(watcher.add("x")).isEqualTo("ENx");
    assertThat(watcher.add("E")).isEmpty();
    assertThat(watcher.rest()).isEqualTo("E");
    assertThat(watcher.found()).isFalse();
  }

  @Test
  void aStopThatOverlapsItselfIsFound() {
    StopText watcher = stops("aab");
    assertThat(watcher.add("aa")).isEmpty();
    assertThat(watcher.add("a")).isEqualTo("a");
    assertThat(watcher.add("b")).isEmpty();
    assertThat(watcher.found()).isTrue();
  }

  @Test
  void heldBackIsTheLongestOfSeveralCandidates() {
    StopText watcher = stops("xyzq", "zp");
    assertThat(watcher.add("axyz")).isEqualTo("a");
    assertThat(watcher.add("p")).isEqualTo("xy");
    assertThat(watcher.found()).isTrue();
  }

  @Test
  void theStopThatIsCompleteFirstCounts() {
    assertThat(shown(List.of("bcd", "c"), List.of("abcd"))).isEqualTo("ab");
    assertThat(shown(List.of("bcd", "c"), List.of("a", "b", "c", "d"))).isEqualTo("ab");
    assertThat(shown(List.of("c", "bc"), List.of("abc"))).isEqualTo("a");
    assertThat(shown(List.of("abc", "ab"), List.of("xabc"))).isEqualTo("x");
  }

  @Test
  void theCutIntoTokensChangesNothingAndNoTextIsLost() {
    Random random = new Random(5);
    List<String> stops = List.of("aba", "bb", "cabc", "aac");
    int found = 0;
    for (int round = 0; round < 2000; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < 12; i++) {
        text.append((char) ('a' + random.nextInt(4)));
      }
      List<String> parts = cut(text.toString(), random);
      String expected = reference(text.toString(), stops);
      found += expected.length() < text.length() ? 1 : 0;
      assertThat(shown(stops, parts)).as("%s as %s", text, parts).isEqualTo(expected);
    }
    assertThat(found).isBetween(200, 1990);
  }

  /** The text before the stop that is complete first; of two complete at once, the longer. */
  private static String reference(String text, List<String> stops) {
    for (int end = 1; end <= text.length(); end++) {
      String head = text.substring(0, end);
      int longest = stops.stream().filter(head::endsWith).mapToInt(String::length).max().orElse(0);
      if (longest > 0) {
        return head.substring(0, end - longest);
      }
    }
    return text;
  }

  private static List<String> cut(String text, Random random) {
    List<String> parts = new java.util.ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int to = Math.min(text.length(), from + random.nextInt(5));
      parts.add(text.substring(from, to));
      from = to;
    }
    return parts;
  }
}
