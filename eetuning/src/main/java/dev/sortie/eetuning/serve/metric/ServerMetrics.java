package dev.sortie.eetuning.serve.metric;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.serve.engine.TextEngine;
import dev.sortie.eetuning.serve.engine.TextEvent;
import java.util.concurrent.atomic.LongAdder;

/** What a server counts. Thread-safe. Names and labels are a contract with dashboards. */
public final class ServerMetrics {
  /** The format of {@link #text}. */
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final Tally requests = new Tally();
  private final Tally statuses = new Tally();
  private final Tally texts = new Tally();
  private final Tally exits = new Tally();
  private final LongAdder generated = new LongAdder();
  private final LongAdder prompted = new LongAdder();
  private final LongAdder found = new LongAdder();
  private final LongAdder prefixHits = new LongAdder();
  private final Durations requestSeconds = new Durations();
  private final Durations firstToken = new Durations();

  /**
   * A request was answered.
   *
   * @param path of an endpoint, or one word for all others
   */
  public void request(String path, int status, double seconds) {
    request(path, status);
    requestSeconds.add(seconds);
  }

  /** The same of a request of which not all was read, so that it has no time. */
  public void request(String path, int status) {
    requests.add(path, 1);
    statuses.add(String.valueOf(status), 1);
  }

  /** The first token of an answer has come, so long after its request. */
  public void firstToken(double seconds) {
    firstToken.add(seconds);
  }

  /** A token was generated. */
  public void token(GeneratedToken token) {
    generated.increment();
    exits.add(token.exit().isPresent() ? String.valueOf(token.exit().getAsInt()) : "final", 1);
  }

  /** A text has ended. */
  public void end(TextEvent.End end) {
    texts.add(end.generation().finish(), 1);
    prompted.add(end.read());
    found.add(end.found());
    if (end.found() > 0) {
      prefixHits.increment();
    }
  }

  /** Texts took longer than an answer may. */
  public void timeouts(long count) {
    texts.add("timeout", count);
  }

  /** A text has failed. */
  public void failure() {
    texts.add("failed", 1);
  }

  /** All of it, with what the engine does now. */
  public String text(TextEngine engine) {
    PrometheusText out = new PrometheusText();
    out.gauge("sortie_ready", "1 once kernels are compiled", engine.isReady() ? 1 : 0);
    out.gauge("sortie_texts_running", "Texts read or generated now", engine.load().running());
    out.gauge("sortie_texts_waiting", "Texts that wait for a place", engine.waiting());
    out.gauge("sortie_kv_pages", "Pages of the KV cache", engine.pages());
    out.gauge("sortie_kv_pages_free", "Pages that no text reads", engine.load().freePages());
    out.counters("sortie_requests_total", "Requests answered", "path", requests.counts());
    out.counters("sortie_responses_total", "Answers by status", "status", statuses.counts());
    out.counters("sortie_texts_total", "Texts by how they ended", "finish", texts.counts());
    out.counter("sortie_tokens_generated_total", "Tokens generated", generated.sum());
    out.counters(
        "sortie_tokens_by_exit_total",
        "Tokens by the exit that they left at",
        "exit",
        exits.counts());
    out.counter(
        "sortie_prompt_tokens_total", "Tokens of prompts that were read or found", prompted.sum());
    out.counter(
        "sortie_prompt_tokens_found_total", "Tokens of prompts found in the cache", found.sum());
    out.counter(
        "sortie_prefix_hits_total", "Prompts with a beginning in the cache", prefixHits.sum());
    out.histogram(
        "sortie_time_to_first_token_seconds",
        "From a request to the first token of its answer",
        firstToken);
    out.histogram(
        "sortie_request_seconds", "From a request to the end of its answer", requestSeconds);
    return out.toString();
  }
}
