package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.eetuning.serve.http.HttpHandler;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.eetuning.serve.metric.ServerMetrics;
import dev.sortie.eetuning.serve.page.Page;
import dev.sortie.nn.json.Json;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** All endpoints: finds the one of a request, checks who asks, and turns errors into answers. */
public final class Api implements HttpHandler {
  private static final Logger LOG = System.getLogger(Api.class.getName());

  /** Probes of an orchestrator have no key. */
  private static final Set<String> OPEN = Set.of("/health", "/readyz");

  /** Paths without an endpoint, in metrics. */
  private static final String OTHER = "other";

  /** The status of a request whose client left before the answer began, as nginx logs it. */
  private static final int LEFT = 499;

  private static final int RETRY_STARTING = 1;
  private static final int RETRY_STOPPING = 5;

  private final ServedModel served;
  private final HostCheck hosts;
  private final ApiKeys keys;
  private final AccessLog log;
  private final ServerMetrics metrics = new ServerMetrics();

  /** By path, then by method. */
  private final Map<String, Map<String, ApiEndpoint>> endpoints = new TreeMap<>();

  private final Page page = new Page();
  private volatile boolean stopping;

  /**
   * The API of one model.
   *
   * @param settings by which names clients may call the server
   * @param most time that one answer may take
   */
  public Api(
      ServedModel served, HttpSettings settings, ApiKeys keys, AccessLog log, Duration most) {
    this.served = served;
    this.hosts = HostCheck.of(settings);
    this.keys = keys;
    this.log = log;
    page.paths().forEach(path -> put("GET", path, r -> page.send(r.exchange())));
    put("GET", "/health", r -> health(r.exchange()));
    put("GET", "/readyz", r -> ready(r.exchange()));
    put("GET", "/metrics", r -> metrics(r.exchange()));
    put("GET", "/v1/models", r -> JsonAnswer.send(r.exchange(), 200, ModelsEndpoint.list(served)));
    put(
        "GET",
        "/v1/models/" + served.name(),
        r -> JsonAnswer.send(r.exchange(), 200, ModelsEndpoint.one(served)));
    put("GET", "/props", r -> JsonAnswer.send(r.exchange(), 200, props()));
    put(
        "GET",
        "/openapi.json",
        r -> JsonAnswer.send(r.exchange(), 200, OpenApiDocument.of(served)));
    TextEndpoints texts = new TextEndpoints(served);
    put("GET", "/tokenizer_info", r -> JsonAnswer.send(r.exchange(), 200, texts.info()));
    put("POST", "/tokenize", texts::tokenize);
    put("POST", "/detokenize", texts::detokenize);
    put("POST", "/apply-template", texts::applyTemplate);
    TextAnswer.Maker answers = new TextAnswer.Maker(served.engine(), metrics, most);
    Grammars grammars = new Grammars(served);
    put("POST", "/v1/chat/completions", working(new ChatEndpoint(served, answers, grammars)));
    put("POST", "/v1/completions", working(new CompletionsEndpoint(served, answers, grammars)));
    put("POST", "/v1/responses", working(new ResponsesEndpoint(served, answers, grammars)));
    put("POST", "/v1/embeddings", working(new EmbeddingsEndpoint(served, answers)));
    put("POST", "/explain", working(new ExplainEndpoint(served, grammars, most)));
  }

  private void put(String method, String path, ApiEndpoint endpoint) {
    endpoints.computeIfAbsent(path, _ -> new TreeMap<>()).put(method, endpoint);
  }

  /** An endpoint that computes: not while the server shuts down. */
  private ApiEndpoint working(ApiEndpoint endpoint) {
    return request -> {
      if (stopping) {
        throw ApiError.unavailable(RETRY_STOPPING, "the server is stopping; ask another one");
      }
      endpoint.answer(request);
    };
  }

  /** From now on nothing is computed for new requests. */
  public void stop() {
    stopping = true;
  }

  @Override
  public void handle(HttpExchange exchange) {
    long start = System.nanoTime();
    String client = exchange.peer();
    try {
      hosts.check(exchange);
      client = isOpen(exchange.path()) ? client : keys.owner(exchange);
      find(exchange).answer(new ApiRequest(exchange, client, start));
    } catch (ApiError e) {
      answer(exchange, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      answer(exchange, ApiError.unavailable(RETRY_STOPPING, "the server is stopping"));
    } catch (RuntimeException | Error e) {
      LOG.log(Level.ERROR, exchange.method() + " " + exchange.path() + " failed", e);
      answer(exchange, ApiError.internal());
    } finally {
      double seconds = (System.nanoTime() - start) * 1e-9;
      String path = endpoints.containsKey(exchange.path()) ? exchange.path() : OTHER;
      int status = exchange.status() == 0 ? LEFT : exchange.status();
      metrics.request(path, status, seconds);
      log.add(exchange, status, client, seconds);
    }
  }

  private boolean isOpen(String path) {
    return OPEN.contains(path) || page.paths().contains(path);
  }

  private static void answer(HttpExchange exchange, ApiError error) {
    if (exchange.status() == 0 && !exchange.isGone()) {
      JsonAnswer.send(exchange, error);
    }
  }

  private ApiEndpoint find(HttpExchange exchange) {
    Map<String, ApiEndpoint> methods = endpoints.get(exchange.path());
    if (methods == null) {
      throw ApiError.of(404, "not_found", "no such path: " + exchange.path());
    }
    ApiEndpoint found = methods.get(exchange.method().equals("HEAD") ? "GET" : exchange.method());
    if (found == null) {
      String allowed = String.join(", ", methods.keySet()).replace("GET", "GET, HEAD");
      throw ApiError.wrongMethod(exchange.path(), exchange.method(), allowed);
    }
    return found;
  }

  private void health(HttpExchange exchange) {
    if (served.engine().hasFailed()) {
      throw ApiError.unavailable(0, "the engine has failed; start the server again");
    }
    JsonAnswer.send(exchange, 200, Json.object("status", "ok"));
  }

  private void ready(HttpExchange exchange) {
    if (stopping) {
      throw ApiError.unavailable(RETRY_STOPPING, "the server is stopping");
    }
    if (!served.engine().isReady()) {
      throw ApiError.unavailable(RETRY_STARTING, "kernels are being compiled");
    }
    JsonAnswer.send(exchange, 200, Json.object("status", "ready"));
  }

  private Map<String, Object> props() {
    Set<String> paths = new TreeSet<>(endpoints.keySet());
    paths.removeAll(page.paths());
    return PropsEndpoint.of(served, paths);
  }

  private void metrics(HttpExchange exchange) {
    exchange.respond(
        200,
        Map.of("Content-Type", ServerMetrics.CONTENT_TYPE),
        metrics.text(served.engine()).getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public byte[] refusal(int status, String message) {
    ApiError error =
        switch (status) {
          case 500 -> ApiError.internal();
          case 429 -> ApiError.busy(0, message);
          default -> ApiError.of(status, "http_" + status, message);
        };
    return JsonAnswer.bytes(error.json());
  }

  @Override
  public void refused(String id, String peer, int status) {
    metrics.request(OTHER, status);
    log.add(id, peer, status);
  }
}
