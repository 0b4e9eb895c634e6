package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.decode.edge.EdgeGeneration;
import dev.sortie.eetuning.decode.edge.EdgeToken;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What is said on standard error of a text that edge and cloud have written. */
public final class EdgeView {
  private EdgeView() {}

  /** Who decided how many tokens, and which of them without the cloud. */
  public static void show(EdgeGeneration g) {
    System.err.printf(
        Locale.ROOT,
        "%d tokens decided by the edge, %d by the cloud in %d round trips; %,d bytes sent, %,d"
            + " received%s%n",
        g.count(EdgeToken.EDGE),
        g.count(EdgeToken.CLOUD),
        g.roundTrips(),
        g.sent(),
        g.received(),
        g.exact() ? "" : "; not the bits of one process");
    g.lost().ifPresent(why -> System.err.println(why));
    if (g.count(EdgeToken.ALONE) > 0) {
      System.err.printf(
          "%d tokens decided by the edge alone: %s%n", g.count(EdgeToken.ALONE), alone(g));
    }
  }

  /** Numbers of such tokens, from 1, as ranges. */
  private static String alone(EdgeGeneration g) {
    int[] firsts =
        IntStream.range(0, g.by().size()).filter(i -> is(g, i) && !is(g, i - 1)).toArray();
    return IntStream.of(firsts)
        .mapToObj(
            from -> {
              int to = from;
              while (is(g, to + 1)) {
                to++;
              }
              return from == to ? "" + (from + 1) : (from + 1) + " to " + (to + 1);
            })
        .collect(Collectors.joining(", "));
  }

  private static boolean is(EdgeGeneration g, int token) {
    return token >= 0 && token < g.by().size() && g.by().get(token) == EdgeToken.ALONE;
  }
}
