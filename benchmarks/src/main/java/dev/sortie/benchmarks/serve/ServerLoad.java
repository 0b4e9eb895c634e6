package dev.sortie.benchmarks.serve;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Clients that stream text after text for minutes. Each text must be the one that its request gets
 * when it is alone, and the server's memory must stay what it is after a minute.
 *
 * @param clients at once
 * @param tokens of each text
 * @param seconds that it lasts
 * @param progress is told each minute in words
 */
public record ServerLoad(int clients, int tokens, int seconds, Consumer<String> progress) {
  private static final int REQUESTS_PER_CLIENT = 2;
  private static final int SAMPLE_SECONDS = 5;
  private static final int WARM_SECONDS = 60;
  private static final double MIB = 1 << 20;

  /**
   * What came of it.
   *
   * @param texts that were complete and as they should be
   * @param tokens of those texts
   * @param seconds until the last text had ended; at the end of the time some are under way
   * @param different texts that were others than alone
   * @param failures requests without a complete answer
   * @param firstFailure in words; empty if there was none
   * @param residentMib resident memory at each full minute, from the start on
   * @param growth the most memory after the first minute by that at its end, less 1
   */
  public record Outcome(
      long texts,
      long tokens,
      double seconds,
      long different,
      long failures,
      String firstFailure,
      List<Double> residentMib,
      double growth) {
    /** Tokens per second of all clients together. */
    public double rate() {
      return tokens / seconds;
    }
  }

  /** Runs it. */
  public Outcome run(ServerProcess server, StreamedRequest.Source prompts) {
    try {
      return new Run(server).outcome(alone(server, prompts));
    } catch (IOException e) {
      throw new IllegalStateException("a text alone failed: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted under load", e);
    }
  }

  /** What each request gets while there is no other; half are sampled. */
  private Map<StreamedRequest, String> alone(ServerProcess server, StreamedRequest.Source prompts)
      throws IOException {
    Map<StreamedRequest, String> texts = new HashMap<>();
    for (int i = 0; i < REQUESTS_PER_CLIENT * clients; i++) {
      StreamedRequest request = new StreamedRequest(prompts.next(), tokens, i % 2, i);
      texts.put(request, StreamedText.ask(server.address(), request).text());
    }
    return texts;
  }

  /** One run: counters that clients share. */
  private final class Run {
    private final ServerProcess server;
    private final AtomicLong texts = new AtomicLong();
    private final AtomicLong generated = new AtomicLong();
    private final AtomicLong different = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private volatile String firstFailure = "";

    Run(ServerProcess server) {
      this.server = server;
    }

    Outcome outcome(Map<StreamedRequest, String> expected) throws InterruptedException {
      List<StreamedRequest> requests = List.copyOf(expected.keySet());
      long start = System.nanoTime();
      long end = start + seconds * 1_000_000_000L;
      List<Double> samples = new ArrayList<>(List.of(server.residentBytes() / MIB));
      try (ExecutorService threads = Executors.newCachedThreadPool()) {
        for (int c = 0; c < clients; c++) {
          int first = c * REQUESTS_PER_CLIENT;
          threads.execute(
              () -> {
                for (int i = first; System.nanoTime() < end; i++) {
                  ask(requests.get(i % requests.size()), expected);
                }
              });
        }
        for (int s = SAMPLE_SECONDS; s <= seconds; s += SAMPLE_SECONDS) {
          Thread.sleep(Math.max(0, (start - System.nanoTime()) / 1_000_000 + s * 1000L));
          samples.add(server.residentBytes() / MIB);
          if (s % 60 == 0) {
            progress.accept(
                "%d min: %.0f MiB resident, %d texts, %d different, %d failed"
                    .formatted(
                        s / 60, samples.getLast(), texts.get(), different.get(), failures.get()));
          }
        }
      }
      double elapsed = (System.nanoTime() - start) / 1e9;
      return new Outcome(
          texts.get(),
          generated.get(),
          elapsed,
          different.get(),
          failures.get(),
          firstFailure,
          minutes(samples),
          growth(samples));
    }

    private void ask(StreamedRequest request, Map<StreamedRequest, String> expected) {
      try {
        StreamedText text = StreamedText.ask(server.address(), request);
        if (text.text().equals(expected.get(request)) && text.tokens() == tokens) {
          texts.incrementAndGet();
          generated.addAndGet(text.tokens());
        } else {
          different.incrementAndGet();
        }
      } catch (IOException | RuntimeException e) {
        failures.incrementAndGet();
        firstFailure = firstFailure.isEmpty() ? e.toString() : firstFailure;
      }
    }
  }

  private static List<Double> minutes(List<Double> samples) {
    List<Double> minutes = new ArrayList<>();
    for (int i = 0; i < samples.size(); i += 60 / SAMPLE_SECONDS) {
      minutes.add(samples.get(i));
    }
    return minutes;
  }

  private static double growth(List<Double> samples) {
    int warm = Math.min(WARM_SECONDS / SAMPLE_SECONDS, samples.size() - 1);
    double most = samples.stream().skip(warm).mapToDouble(x -> x).max().orElseThrow();
    return most / samples.get(warm) - 1;
  }
}
