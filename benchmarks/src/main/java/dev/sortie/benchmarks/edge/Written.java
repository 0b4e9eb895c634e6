package dev.sortie.benchmarks.edge;

import java.util.ArrayList;
import java.util.List;

/** Texts that were written over one link, and what that took. */
final class Written {
  private final List<List<Integer>> texts = new ArrayList<>();
  private long start;
  private double seconds;
  private double firstSeconds;
  private int roundTrips;
  private int onEdge;
  private long up;
  private long down;

  /** A text begins: its time counts from here. */
  void begin() {
    texts.add(new ArrayList<>());
    start = System.nanoTime();
  }

  /** Its next token has come. */
  void take(int id) {
    List<Integer> text = texts.getLast();
    if (text.isEmpty()) {
      firstSeconds += elapsed();
    }
    text.add(id);
  }

  /**
   * The text is complete.
   *
   * @param roundTripsOfText answers that were waited for
   * @param onEdgeOfText tokens that the edge decided
   */
  void end(int roundTripsOfText, int onEdgeOfText) {
    seconds += elapsed();
    roundTrips += roundTripsOfText;
    onEdge += onEdgeOfText;
  }

  private double elapsed() {
    return (System.nanoTime() - start) * 1e-9;
  }

  /** All that the link has carried. */
  void carried(long bytesUp, long bytesDown) {
    up = bytesUp;
    down = bytesDown;
  }

  /** Tokens by the time from the first byte to the last token, prompts included. */
  double tokensPerSecond() {
    return tokens() / seconds;
  }

  /** Mean time until the first token of a text. */
  double firstSeconds() {
    return firstSeconds / texts.size();
  }

  private int tokens() {
    return texts.stream().mapToInt(List::size).sum();
  }

  /** Answers that were waited for, a text. */
  double roundTrips() {
    return (double) roundTrips / texts.size();
  }

  /** Share of tokens that the edge decided. */
  double edgeShare() {
    return (double) onEdge / tokens();
  }

  /** Bytes to the cloud, a text; what TCP adds does not count. */
  double up() {
    return (double) up / texts.size();
  }

  /** Bytes from the cloud, a text. */
  double down() {
    return (double) down / texts.size();
  }

  /** Ids of all texts. */
  List<List<Integer>> texts() {
    return texts;
  }

  /** Share of tokens that stand before the first one that differs from other texts. */
  double equalShare(List<List<Integer>> others) {
    int equal = 0;
    for (int t = 0; t < texts.size(); t++) {
      int i = 0;
      while (i < texts.get(t).size() && texts.get(t).get(i).equals(others.get(t).get(i))) {
        i++;
      }
      equal += i;
    }
    return (double) equal / tokens();
  }
}
