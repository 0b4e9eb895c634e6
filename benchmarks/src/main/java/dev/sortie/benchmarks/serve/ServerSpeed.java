package dev.sortie.benchmarks.serve;

import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.eetuning.eval.Median;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Tokens per second of servers under one and several streaming clients, and their time to the first
 * token. All servers get the same requests, in turns.
 *
 * @param prompts of all requests
 * @param tokens of each text
 * @param rounds that count
 */
public record ServerSpeed(StreamedRequest.Source prompts, int tokens, int rounds) {
  /**
   * Rounds before them, in which a JVM still compiles: eight clients got 395, 477, 518 and then 524
   * to 531 tokens/s.
   */
  private static final int WARM_ROUNDS = 3;

  /** More than one, because the first may be part of a character, which is not sent. */
  private static final int FIRST_TOKENS = 4;

  /**
   * What is measured.
   *
   * @param clients at once
   * @param first whether it is the time to the first token
   */
  public record Case(String name, int clients, boolean first) {

    /** Speeds of so many clients, and one client's first token. */
    public static List<Case> of(List<Integer> clients) {
      List<Case> cases = new ArrayList<>();
      clients.forEach(n -> cases.add(new Case(n == 1 ? "1 client" : n + " clients", n, false)));
      cases.add(new Case("first token", 1, true));
      return cases;
    }

    /** The unit of its values. */
    public String unit() {
      return first ? "ms" : "tokens/s";
    }
  }

  /**
   * What was measured.
   *
   * @param values a median for each server
   */
  public record Row(Case measured, List<Double> values) {}

  /**
   * Measures.
   *
   * @param servers ours first
   */
  public List<Row> measure(List<ServerProcess> servers, List<Case> cases) {
    try (Clients asking = new Clients()) {
      return cases.stream().map(c -> new Row(c, medians(asking, servers, c))).toList();
    }
  }

  private List<Double> medians(Clients asking, List<ServerProcess> servers, Case c) {
    int all = WARM_ROUNDS + rounds;
    List<List<StreamedRequest>> requests = Stream.generate(() -> requests(c)).limit(all).toList();
    List<Supplier<Double>> sides = new ArrayList<>();
    for (ServerProcess server : servers) {
      Iterator<List<StreamedRequest>> next = requests.iterator();
      sides.add(
          () ->
              c.first
                  ? firstMillis(asking, server, next.next())
                  : rate(asking, server, next.next()));
    }
    return Turns.samples(all, sides).stream()
        .map(s -> Median.of(s.stream().skip(WARM_ROUNDS).mapToDouble(x -> x)))
        .toList();
  }

  private List<StreamedRequest> requests(Case c) {
    return IntStream.range(0, c.clients)
        .mapToObj(i -> new StreamedRequest(prompts.next(), c.first ? FIRST_TOKENS : tokens, 0, i))
        .toList();
  }

  private static double firstMillis(
      Clients asking, ServerProcess server, List<StreamedRequest> requests) {
    return 1000 * asking.ask(server.address(), requests).getFirst().firstSeconds();
  }

  private static double rate(Clients asking, ServerProcess server, List<StreamedRequest> requests) {
    long start = System.nanoTime();
    List<StreamedText> texts = asking.ask(server.address(), requests);
    double seconds = (System.nanoTime() - start) * 1e-9;
    int expected = requests.stream().mapToInt(StreamedRequest::tokens).sum();
    int tokens = texts.stream().mapToInt(StreamedText::tokens).sum();
    if (tokens != expected) {
      throw new DisagreementException(
          "%d tokens were asked for, and %s answered with %d"
              .formatted(expected, server.address(), tokens));
    }
    return tokens / seconds;
  }
}
