package dev.sortie.mutation;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * Reads damaged files for a while. Case {@code n} of seed {@code s} is the same file on every
 * machine. What ends in anything but a value or a decent {@link InputException}, or takes longer
 * than the deadline, is a finding; its file is kept.
 */
public final class MutationRun {
  private static final int LONGEST_MESSAGE = 2000;
  private static final int MOST_FINDINGS = 20;

  /** Deadlines that are waited for before a thread that computes nothing is given up. */
  private static final int PATIENCE = 12;

  private final List<Subject> subjects;
  private final long seed;
  private final Duration deadline;
  private final Path findingsFolder;
  private final List<String> findings = new ArrayList<>();
  private ExecutorService worker = newWorker();
  private volatile Thread thread;
  private final Map<String, Count> counts = new LinkedHashMap<>();
  private long cases;
  private long refused;

  /** Files of one subject that were read, those that were findings once included. */
  private static final class Count {
    private long cases;
    private long refused;
  }

  /**
   * A run that has not begun.
   *
   * @param deadline time on a core that one file may take
   * @param findingsFolder where files are kept that were no good
   */
  public MutationRun(List<Subject> subjects, long seed, Duration deadline, Path findingsFolder) {
    this.subjects = subjects;
    this.seed = seed;
    this.deadline = deadline;
    this.findingsFolder = findingsFolder;
    subjects.forEach(subject -> counts.put(subject.name(), new Count()));
  }

  /** The files that the damages start from must be read without a complaint. */
  public void requireRightFiles() throws IOException {
    for (Subject subject : subjects) {
      for (byte[] bytes : subject.strict() ? subject.corpus() : List.<byte[]>of()) {
        subject.reading().read(bytes);
      }
    }
  }

  /**
   * Reads the files that were findings once.
   *
   * @param corpus a folder of files whose names end with the name of a subject; it may be absent
   */
  public void replay(Path corpus) throws IOException {
    if (!Files.isDirectory(corpus)) {
      return;
    }
    try (Stream<Path> files = Files.list(corpus)) {
      for (Path file : files.sorted().toList()) {
        Subject subject =
            subjects.stream()
                .filter(s -> file.getFileName().toString().endsWith("-" + s.name()))
                .findFirst()
                .orElseThrow(() -> new IOException(file + ": its name ends with no subject's"));
        attempt(subject, Files.readAllBytes(file));
      }
    }
  }

  /**
   * Until the time or the number of cases is over, whichever comes first. Prints the seed, which a
   * run that is killed needs to be repeated, and the summary: Surefire shows no entries that a test
   * publishes.
   */
  public void run(Duration time, long most) {
    System.out.println("mutation: seed " + seed);
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end && cases < most && findings.size() < MOST_FINDINGS) {
      Subject subject = subjects.get((int) (cases % subjects.size()));
      byte[] bytes = new Mutator(seed * 1_000_003 + cases, subject.corpus()).next();
      attempt(subject, bytes);
      cases++;
    }
    worker.shutdownNow();
    System.out.println("mutation: " + summary());
  }

  /** What was found; empty as it should be. */
  public List<String> findings() {
    return findings;
  }

  /** A line about all, and one for each subject. */
  public String summary() {
    StringBuilder text =
        new StringBuilder(
            "seed %d: %d cases, %d refused, %d findings"
                .formatted(seed, cases, refused, findings.size()));
    counts.forEach(
        (name, count) ->
            text.append(
                "\n  %s: %d cases, %d refused".formatted(name, count.cases, count.refused)));
    return text.toString();
  }

  /** Files read so far. */
  public long cases() {
    return cases;
  }

  /** Of these, how many were refused. */
  public long refused() {
    return refused;
  }

  /** Cases of the subject that had the fewest. */
  public long fewest() {
    return counts.values().stream().mapToLong(count -> count.cases).min().orElse(0);
  }

  private void attempt(Subject subject, byte[] bytes) {
    Count count = counts.get(subject.name());
    count.cases++;
    Future<?> future =
        worker.submit(
            () -> {
              thread = Thread.currentThread();
              subject.reading().read(bytes);
              return null;
            });
    try {
      await(future);
    } catch (TimeoutException e) {
      StringBuilder where = new StringBuilder();
      for (StackTraceElement frame : thread.getStackTrace()) {
        where.append("\n    ").append(frame);
      }
      found(subject, bytes, "takes longer than " + deadline + where);
      worker = newWorker(); // the other thread may never end
    } catch (ExecutionException e) {
      if (e.getCause() instanceof InputException decent) {
        refused++;
        count.refused++;
        check(subject, bytes, String.valueOf(decent.getMessage()));
      } else {
        StringBuilder what = new StringBuilder(e.getCause().toString());
        StackTraceElement[] frames = e.getCause().getStackTrace();
        for (int i = 0; i < Math.min(12, frames.length); i++) {
          what.append("\n    ").append(frames[i]);
        }
        found(subject, bytes, what.toString());
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Other processes may take the cores meanwhile, or this one may be stopped for a while: what
   * counts is its own time, and how often it waited in vain.
   */
  private void await(Future<?> future)
      throws InterruptedException, ExecutionException, TimeoutException {
    Duration begun = used();
    for (int waits = 1; ; waits++) {
      try {
        future.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        if (used().minus(begun).compareTo(deadline) > 0 || waits == PATIENCE) {
          throw e;
        }
      }
    }
  }

  private static Duration used() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
  }

  private void check(Subject subject, byte[] bytes, String message) {
    boolean decent =
        !message.isBlank()
            && message.length() <= LONGEST_MESSAGE
            && message.chars().noneMatch(Character::isISOControl);
    if (!decent) {
      found(subject, bytes, "a message that is not one short line: " + message);
    }
  }

  private void found(Subject subject, byte[] bytes, String what) {
    Path file = findingsFolder.resolve("%d-%d-%s".formatted(seed, cases, subject.name()));
    try {
      Files.createDirectories(findingsFolder);
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    findings.add(
        "%s: case %d of seed %d, kept as %s: %s"
            .formatted(subject.name(), cases, seed, file, what));
  }

  private static ExecutorService newWorker() {
    return Executors.newSingleThreadExecutor(
        task -> {
          Thread t = new Thread(task, "mutation");
          t.setDaemon(true);
          return t;
        });
  }
}
