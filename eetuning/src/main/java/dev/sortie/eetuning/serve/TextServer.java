package dev.sortie.eetuning.serve;

import dev.sortie.eetuning.serve.api.AccessLog;
import dev.sortie.eetuning.serve.api.Api;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.api.ServedModel;
import dev.sortie.eetuning.serve.http.HttpServer;
import dev.sortie.eetuning.serve.http.HttpSettings;
import dev.sortie.eetuning.serve.netty.NettyServer;
import java.time.Duration;

/**
 * A model behind HTTP, from its start to its end. It listens before kernels are compiled, so that
 * probes are answered; {@code /readyz} says when they are.
 */
public final class TextServer implements AutoCloseable {
  private final ServedModel served;
  private final Api api;
  private final HttpServer http;

  private TextServer(ServedModel served, Api api, HttpServer http) {
    this.served = served;
    this.api = api;
    this.http = http;
  }

  /**
   * Starts to listen. The engine computes from {@link #warmUp} on.
   *
   * @param most time that one answer may take
   * @throws dev.sortie.nn.InputException if the address cannot be had
   */
  public static TextServer start(
      ServedModel served, HttpSettings settings, ApiKeys keys, AccessLog log, Duration most) {
    Api api = new Api(served, settings, keys, log, most);
    return new TextServer(served, api, NettyServer.start(settings, api));
  }

  /** Returns when all is compiled and loaded that requests need. */
  public void warmUp() throws InterruptedException {
    served.engine().start();
    Rehearsal.run(served);
    served.engine().becomeReady();
  }

  /** The port that it listens on. */
  public int port() {
    return http.port();
  }

  /**
   * Takes no more requests, and sends the answers to those that it has.
   *
   * @param most time to wait for them
   * @return whether all were sent
   */
  public boolean stop(Duration most) {
    api.stop();
    return http.drain(most);
  }

  /** Ends connections and the engine, not the model. */
  @Override
  public void close() {
    api.stop();
    http.close();
    served.engine().close();
  }
}
