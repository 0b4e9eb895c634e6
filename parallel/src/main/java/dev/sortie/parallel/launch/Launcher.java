package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.shm.JobFiles;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Starts a command once for each rank on this machine and sees to its end: when one rank ends badly
 * the others have a moment to say why they must stop, and are ended then.
 */
public final class Launcher {
  private static final List<String> FOREIGN_PREFIXES =
      List.of("OMPI_", "PMIX_", "PMI_", "MPI_LOCAL", "SLURM_PROCID", "SLURM_LOCALID");

  private final Options options;
  private final Consumer<String> out;
  private final Consumer<String> err;
  private final List<Process> running = new ArrayList<>();
  private boolean ended;

  /**
   * What to launch.
   *
   * @param ranks number of processes
   * @param command the program and its arguments
   * @param maxRestarts how often all ranks are started again after one ended badly
   * @param grace how long the others may run after one has ended badly, and after they were asked
   *     to end
   */
  public record Options(int ranks, List<String> command, int maxRestarts, Duration grace) {
    public Options {
      command = List.copyOf(command);
      if (ranks < 1 || maxRestarts < 0) {
        throw new InputException(
            "a job needs at least 1 rank and 0 restarts, got --nproc %d and --max-restarts %d"
                .formatted(ranks, maxRestarts));
      }
      if (command.isEmpty()) {
        throw new InputException("there is no command to launch; give it after --");
      }
    }
  }

  /**
   * @param out takes each line of the ranks' standard output, with its rank in front
   * @param err takes those of their standard error, and the launcher's own
   */
  public Launcher(Options options, Consumer<String> out, Consumer<String> err) {
    this.options = options;
    this.out = out;
    this.err = err;
  }

  /**
   * Runs the job.
   *
   * @return 0 if all ranks ended well, else the exit code of the first that did not
   * @throws RuntimeException that {@code out} or {@code err} threw; the ranks are ended first
   */
  public int run() throws InterruptedException {
    String token = token();
    for (int generation = 0; ; generation++) {
      int code = runOnce(token, generation);
      removeFiles(token, generation);
      if (code == 0 || generation == options.maxRestarts() || isEnded()) {
        return code;
      }
      err.accept("launch: restart %d of %d".formatted(generation + 1, options.maxRestarts()));
    }
  }

  /** Asks all ranks to end, as a signal to the launcher does; {@link #run} returns then. */
  public void end() {
    synchronized (running) {
      ended = true;
      running.stream().flatMap(Launcher::family).toList().forEach(ProcessHandle::destroy);
    }
  }

  private boolean isEnded() {
    synchronized (running) {
      return ended;
    }
  }

  private int runOnce(String token, int generation) throws InterruptedException {
    try (OrphanGuard guard = OrphanGuard.start(options.grace())) {
      return runOnce(token, generation, guard);
    }
  }

  private int runOnce(String token, int generation, OrphanGuard guard) throws InterruptedException {
    List<Process> processes = start(token, generation, guard);
    List<Thread> readers = new ArrayList<>();
    CompletableFuture<RuntimeException> lost = new CompletableFuture<>();
    Consumer<RuntimeException> failed =
        e -> {
          if (lost.complete(e)) {
            end();
          }
        };
    for (int rank = 0; rank < processes.size(); rank++) {
      Process p = processes.get(rank);
      String prefix = "[" + rank + "] ";
      readers.add(PrefixedOutput.start(p.getInputStream(), prefix, out, failed));
      readers.add(PrefixedOutput.start(p.getErrorStream(), prefix, err, failed));
    }
    int code = firstBadCode(processes);
    if (code != 0) {
      endAll(processes);
    }
    for (Thread reader : readers) {
      reader.join(options.grace().toMillis()); // a grandchild may hold the pipe
    }
    if (lost.isDone()) {
      throw lost.join();
    }
    return code;
  }

  private List<Process> start(String token, int generation, OrphanGuard guard) {
    int port = freePort();
    synchronized (running) {
      running.clear();
      for (int rank = 0; rank < options.ranks() && !ended; rank++) {
        ProcessBuilder builder = new ProcessBuilder(options.command());
        builder.redirectInput(ProcessBuilder.Redirect.from(nothing()));
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(k -> FOREIGN_PREFIXES.stream().anyMatch(k::startsWith));
        environment.putAll(variables(rank, port, token, generation));
        try {
          Process process = builder.start();
          running.add(process);
          guard.watch(process);
        } catch (IOException e) {
          running.forEach(Process::destroyForcibly);
          throw new InputException(
              "cannot start " + options.command().getFirst() + ": " + e.getMessage(), e);
        }
      }
      return List.copyOf(running);
    }
  }

  private Map<String, String> variables(int rank, int port, String token, int generation) {
    String world = Integer.toString(options.ranks());
    return Map.of(
        RankEnvironment.LAUNCHER,
        Long.toString(ProcessHandle.current().pid()),
        "RANK",
        Integer.toString(rank),
        "WORLD_SIZE",
        world,
        "LOCAL_RANK",
        Integer.toString(rank),
        "LOCAL_WORLD_SIZE",
        world,
        "MASTER_ADDR",
        InetAddress.getLoopbackAddress().getHostAddress(),
        "MASTER_PORT",
        Integer.toString(port),
        RankEnvironment.GENERATION,
        Integer.toString(generation),
        RankEnvironment.TOKEN,
        token);
  }

  /** Waits until one has ended badly or all have ended well. */
  private int firstBadCode(List<Process> processes) throws InterruptedException {
    CompletableFuture<Integer> bad = new CompletableFuture<>();
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < processes.size(); i++) {
      int rank = i;
      all.add(
          processes
              .get(i)
              .onExit()
              .thenAccept(
                  p -> {
                    if (p.exitValue() != 0 && bad.complete(p.exitValue())) {
                      err.accept(
                          "launch: rank %d ended with exit code %d".formatted(rank, p.exitValue()));
                    }
                  }));
    }
    CompletableFuture<Integer> good =
        CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0])).thenApply(v -> 0);
    try {
      return bad.applyToEither(good, code -> bad.getNow(code)).get();
    } catch (ExecutionException e) {
      throw new CompletionException(e.getCause());
    }
  }

  private void endAll(List<Process> processes) throws InterruptedException {
    if (!isEnded() && waitFor(processes)) {
      return;
    }
    // what a rank that is a script has started would live on and keep its output open
    List<ProcessHandle> all = processes.stream().flatMap(Launcher::family).toList();
    all.forEach(ProcessHandle::destroy); // Process.destroy would close their output
    if (!waitFor(processes)) {
      all.forEach(ProcessHandle::destroyForcibly);
      waitFor(processes);
    }
  }

  /** A rank and all that it has started, and they. */
  private static Stream<ProcessHandle> family(Process rank) {
    return Stream.concat(Stream.of(rank.toHandle()), rank.descendants());
  }

  /** Whether all have ended within the grace. */
  private boolean waitFor(List<Process> processes) throws InterruptedException {
    CompletableFuture<?>[] ends =
        processes.stream().map(Process::onExit).toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(ends).get(options.grace().toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new CompletionException(e.getCause());
    }
  }

  /** What ranks that were killed while they joined have left. */
  private static void removeFiles(String token, int generation) {
    try {
      new JobFiles(SharedMemoryTransport.folder(), Ranks.jobName(token, generation)).remove();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static File nothing() {
    Path unix = Path.of("/dev/null");
    return Files.exists(unix) ? unix.toFile() : new File("NUL");
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String token() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
