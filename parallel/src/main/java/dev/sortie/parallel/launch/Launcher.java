package dev.sortie.parallel.launch;

import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
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
import java.util.Locale;
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

  /** The longest pause, and a run after which pauses are short again. */
  private static final Duration LONG = Duration.ofMinutes(1);

  /** At least so long the output of ranks that have ended is read on; a grace of 0 loses none. */
  private static final Duration REST = Duration.ofSeconds(1);

  private final Options options;
  private final Consumer<LinePiece> out;
  private final Consumer<LinePiece> err;
  private final List<Process> running = new ArrayList<>();
  private final CompletableFuture<Void> asked = new CompletableFuture<>();

  /**
   * What to launch.
   *
   * @param ranks number of processes
   * @param command the program and its arguments
   * @param maxRestarts how often all ranks are started again after one ended badly
   * @param pause before the first restart. Each further one waits twice as long, a minute at most;
   *     after a run of a minute the first pause is the next one again
   * @param grace how long the others may run after one has ended badly, and after they were asked
   *     to end; then they are killed
   */
  public record Options(
      int ranks, List<String> command, int maxRestarts, Duration pause, Duration grace) {
    /** Between a run that ended badly and the first restart. */
    public static final Duration USUAL_PAUSE = Duration.ofSeconds(1);

    private static final int MOST_RANKS = 1 << 10;

    public Options {
      command = List.copyOf(command);
      if (ranks < 1 || ranks > MOST_RANKS || maxRestarts < 0) {
        throw new UsageException(
            "a job needs 1 to %d ranks on a machine and at least 0 restarts, got --nproc %d and --max-restarts %d"
                .formatted(MOST_RANKS, ranks, maxRestarts));
      }
      if (grace.isNegative()) {
        throw new UsageException(
            "--grace of %s is less than 0; give 0 or more seconds".formatted(seconds(grace)));
      }
      if (command.isEmpty()) {
        throw new UsageException("there is no command to launch; give it after --");
      }
    }

    /** The pause after so many restarts without a long run between them. */
    Duration pause(int restarts) {
      Duration wait = pause.multipliedBy(1L << Math.min(restarts, 20));
      return wait.compareTo(LONG) < 0 ? wait : LONG;
    }
  }

  /**
   * @param out takes the lines of the ranks' standard output, long ones in pieces
   * @param err takes those of their standard error, and the launcher's own
   */
  public Launcher(Options options, Consumer<LinePiece> out, Consumer<LinePiece> err) {
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
    int quick = 0;
    for (int generation = 0; ; generation++) {
      long start = System.nanoTime();
      int code = runOnce(token, generation);
      removeFiles(token, generation);
      if (code == 0 || generation == options.maxRestarts() || asked.isDone()) {
        return code;
      }
      boolean ran = System.nanoTime() - start >= LONG.toNanos();
      Duration pause = options.pause(ran ? 0 : quick);
      quick = ran ? 1 : quick + 1;
      say(
          "launch: restart %d of %d in %s"
              .formatted(generation + 1, options.maxRestarts(), seconds(pause)));
      if (isDoneWithin(asked, pause)) {
        return code;
      }
    }
  }

  private void say(String line) {
    err.accept(LinePiece.ofLauncher(line));
  }

  private static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1e3);
  }

  /**
   * Ends the job, as a signal to the launcher does: ranks are asked to end, and killed after the
   * grace. {@link #run} returns then.
   */
  public void end() {
    synchronized (running) { // no rank is started after this one
      asked.complete(null);
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
      readers.add(RankOutput.start(p.getInputStream(), rank, false, out, failed));
      readers.add(RankOutput.start(p.getErrorStream(), rank, true, err, failed));
    }
    CompletableFuture<Integer> firstBad = firstBadCode(processes);
    await(CompletableFuture.anyOf(firstBad, asked));
    if (asked.isDone() || firstBad.join() != 0) {
      endAll(processes);
    }
    int code = await(firstBad);
    Duration rest = options.grace().compareTo(REST) < 0 ? REST : options.grace();
    for (Thread reader : readers) {
      reader.join(rest); // a grandchild may hold the pipe
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
      for (int rank = 0; rank < options.ranks() && !asked.isDone(); rank++) {
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

  /** The exit code of the first rank that ends badly, or 0 once all have ended well. */
  private CompletableFuture<Integer> firstBadCode(List<Process> processes) {
    CompletableFuture<Integer> first = new CompletableFuture<>();
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (int i = 0; i < processes.size(); i++) {
      int rank = i;
      all.add(
          processes
              .get(i)
              .onExit()
              .thenAccept(
                  p -> {
                    if (p.exitValue() != 0 && first.complete(p.exitValue())) {
                      say("launch: rank %d ended with exit code %d".formatted(rank, p.exitValue()));
                    }
                  }));
    }
    CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]))
        .whenComplete(
            (_, failure) -> {
              if (failure == null) {
                first.complete(0);
              } else {
                first.completeExceptionally(failure);
              }
            });
    return first;
  }

  /** Ends what has not ended, first with words. */
  private void endAll(List<Process> processes) throws InterruptedException {
    CompletableFuture<?> ends =
        CompletableFuture.allOf(
            processes.stream().map(Process::onExit).toArray(CompletableFuture<?>[]::new));
    if (!asked.isDone()) { // the others may say why they stop
      isDoneWithin(CompletableFuture.anyOf(ends, asked), options.grace());
    }
    // what a rank that is a script has started would live on and keep its output open
    List<ProcessHandle> all = processes.stream().flatMap(Launcher::family).toList();
    all.forEach(ProcessHandle::destroy); // Process.destroy would close their output
    if (!isDoneWithin(ends, options.grace())) {
      Stream.concat(all.stream(), processes.stream().flatMap(Launcher::family))
          .forEach(ProcessHandle::destroyForcibly);
      isDoneWithin(ends, options.grace());
    }
  }

  /** A rank and all that it has started, and they. */
  private static Stream<ProcessHandle> family(Process rank) {
    return Stream.concat(Stream.of(rank.toHandle()), rank.descendants());
  }

  private static boolean isDoneWithin(CompletableFuture<?> what, Duration time)
      throws InterruptedException {
    try {
      what.get(time.toMillis(), TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new CompletionException(e.getCause());
    }
  }

  private static <T> T await(CompletableFuture<T> what) throws InterruptedException {
    try {
      return what.get();
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
