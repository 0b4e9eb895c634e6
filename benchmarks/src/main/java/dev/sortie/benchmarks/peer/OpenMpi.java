package dev.sortie.benchmarks.peer;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Two ranks of Open MPI. Their side is a small C program, compiled when it is needed: a binding
 * would add to each call. It asks for huge pages for its buffers, as we do for ours.
 */
public final class OpenMpi implements AutoCloseable {
  private static final String PROGRAM = "mpi_peer";

  /**
   * The C library's allocator keeps what Open MPI gives back, instead of returning 64 MiB to the
   * system with each call and faulting it in again: without this 37 ms for a sum of 64 MiB, with it
   * 24, with huge pages for the buffers too 19 (Zen 5, two cores). Also tried, with no gain: {@code
   * --bind-to none}, {@code smsc cma}, {@code coll ^han}, two buffers instead of one.
   */
  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "MALLOC_MMAP_THRESHOLD_", "1073741824",
          "MALLOC_TRIM_THRESHOLD_", "2147483647",
          "MALLOC_TOP_PAD_", "268435456",
          "OMPI_ALLOW_RUN_AS_ROOT", "1",
          "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");

  private final LineProcess ranks;

  private OpenMpi(LineProcess ranks) {
    this.ranks = ranks;
  }

  /**
   * Starts both ranks.
   *
   * @param bytes of the largest buffer
   * @throws InputException if Open MPI or a C compiler is not there
   */
  public static OpenMpi start(Peers peers, long bytes) {
    Path program = compile(peers);
    List<String> command =
        List.of(
            peers.openMpi("mpirun").toString(),
            "-n",
            "2",
            program.toString(),
            String.valueOf(bytes));
    return new OpenMpi(LineProcess.start(PROGRAM, command, ENVIRONMENT));
  }

  /** What it calls itself, with its version. */
  public String version() {
    return ranks.peer();
  }

  /** Sends a question, such as {@code sum 1024 1}, and waits for the answer. */
  public JsonObject ask(String question) {
    ranks.say(question);
    return ranks.answer();
  }

  @Override
  public void close() {
    try {
      ranks.say("end 0 0");
    } finally {
      ranks.close();
    }
  }

  private static Path compile(Peers peers) {
    Path compiler = peers.openMpi("mpicc");
    Path source = peers.files().resolve(PROGRAM + ".c");
    Path program = peers.files().resolve(PROGRAM);
    try {
      Files.writeString(source, Peers.resource(PROGRAM + ".c"));
      Process process =
          new ProcessBuilder(
                  compiler.toString(), "-O2", "-o", program.toString(), source.toString())
              .redirectErrorStream(true)
              .start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new InputException(
            "%s cannot compile the peer's side; install a C compiler (%s)"
                .formatted(compiler, said.lines().findFirst().orElse("it says nothing")));
      }
      return program;
    } catch (IOException e) {
      throw new UncheckedIOException(source + " cannot be compiled", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while compiling", e);
    }
  }
}
