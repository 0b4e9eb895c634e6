package dev.sortie.benchmarks.serve;

import dev.sortie.benchmarks.measure.CommandProcess;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A server in a process of its own, on a free port of this machine. */
public final class ServerProcess implements AutoCloseable {
  private static final int START_SECONDS = 120;
  private static final int OK = 200;

  private final CommandProcess process;
  private final URI address;

  private ServerProcess(CommandProcess process, URI address) {
    this.process = process;
    this.address = address;
  }

  /**
   * Starts a server, and waits until it answers.
   *
   * @param name for messages
   * @param words the program and its arguments; {@code --port} is added
   * @param ready path that is answered with status 200 once requests are
   * @param logs folder for what it writes to standard error
   * @throws InputException if it ends, or takes too long
   */
  public static ServerProcess start(String name, List<String> words, String ready, Path logs) {
    int port = freePort();
    List<String> all = new ArrayList<>(words);
    all.addAll(List.of("--port", Integer.toString(port)));
    CommandProcess process =
        CommandProcess.start(name, all, Redirect.DISCARD, logs.resolve(name + ".log"));
    ServerProcess server = new ServerProcess(process, URI.create("http://127.0.0.1:" + port));
    try {
      server.await(name, ready);
      return server;
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("no port is free", e);
    }
  }

  private void await(String name, String ready) {
    HttpRequest request = HttpRequest.newBuilder(address.resolve(ready)).build();
    try (HttpClient http = HttpClient.newHttpClient()) {
      while (process.seconds() < START_SECONDS) {
        process.check();
        if (status(http, request) == OK) {
          return;
        }
        Thread.sleep(50);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a server starts", e);
    }
    throw new InputException(
        "%s is not ready after %d s: %s".formatted(name, START_SECONDS, process.lastLine()));
  }

  private static int status(HttpClient http, HttpRequest request) throws InterruptedException {
    try {
      return http.send(request, BodyHandlers.discarding()).statusCode();
    } catch (IOException e) {
      return 0; // it does not listen yet
    }
  }

  /** Where it listens. */
  public URI address() {
    return address;
  }

  /** Resident memory in bytes, as Linux counts it. */
  public long residentBytes() {
    Path status = Path.of("/proc", Long.toString(process.pid()), "status");
    try {
      String line =
          Files.readAllLines(status).stream()
              .filter(l -> l.startsWith("VmRSS:"))
              .findFirst()
              .orElseThrow();
      return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
    } catch (IOException e) {
      throw new InputException(status + " cannot be read; resident memory is measured on Linux", e);
    }
  }

  @Override
  public void close() {
    process.close();
    process.awaitEnd();
  }
}
