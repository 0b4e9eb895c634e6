package dev.sortie.benchmarks.ranks;

import dev.sortie.benchmarks.peer.LineProcess;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Two ranks of ours, each a JVM of its own with the flags of this one. */
public final class RankPair implements AutoCloseable {
  private final List<LineProcess> ranks;

  private RankPair(List<LineProcess> ranks) {
    this.ranks = ranks;
  }

  /** Ranks that talk through shared memory, with buffers of at most {@code bytes}. */
  public static RankPair inMemory(long bytes) {
    return start("memory", bytes);
  }

  /**
   * Ranks that talk over TCP on the loopback device, and through a plain socket.
   *
   * @param environment of this process, which the ranks inherit; it may ask for TLS
   * @throws InputException if what it says of TLS will not do: before each rank fails over it
   */
  public static RankPair overTcp(long bytes, Map<String, String> environment) {
    Tls.read(environment);
    return start("tcp", bytes);
  }

  private static RankPair start(String transport, long bytes) {
    String job = UUID.randomUUID().toString().replace("-", "");
    List<String> tail = new ArrayList<>(List.of(String.valueOf(bytes)));
    freePorts().forEach(port -> tail.add(String.valueOf(port)));
    // Both must be started before either can greet.
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<LineProcess> first = threads.submit(() -> rank(transport, job, 0, tail));
      Future<LineProcess> second = threads.submit(() -> rank(transport, job, 1, tail));
      return new RankPair(List.of(first.get(), second.get()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while ranks start", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the ranks cannot be started: " + e.getCause(), e);
    }
  }

  private static LineProcess rank(String transport, String job, int rank, List<String> tail) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", ClassPath.running()));
    command.addAll(List.of(RankMain.class.getName(), transport, job, String.valueOf(rank)));
    command.addAll(tail);
    return LineProcess.start("rank " + rank, command, Map.of());
  }

  private static List<Integer> freePorts() {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket one = new ServerSocket(0, 1, loopback);
        ServerSocket other = new ServerSocket(0, 1, loopback)) {
      return List.of(one.getLocalPort(), other.getLocalPort());
    } catch (IOException e) {
      throw new UncheckedIOException("there is no free port", e);
    }
  }

  /** What the ranks talk through. */
  public String transport() {
    return ranks.getFirst().peer();
  }

  /** Seconds a call, of the rank that took longer. */
  public double seconds(Question question) {
    return ask(question).stream()
        .mapToDouble(a -> a.getDouble("seconds", 0, 1e6))
        .max()
        .orElseThrow();
  }

  /** The hash that each rank has of its sum. */
  public List<String> hashes(Question question) {
    return ask(question).stream().map(a -> a.getString("hash")).toList();
  }

  private List<JsonObject> ask(Question question) {
    ranks.forEach(rank -> rank.say(question.line()));
    return ranks.stream().map(LineProcess::answer).toList();
  }

  @Override
  public void close() {
    ranks.forEach(LineProcess::hangUp);
    ranks.forEach(LineProcess::close);
  }
}
