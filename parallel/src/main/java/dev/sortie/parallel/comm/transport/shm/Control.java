package dev.sortie.parallel.comm.transport.shm;

import static dev.sortie.parallel.comm.transport.shm.ControlLayout.BEAT;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.FAILED;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.INT;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.KIND;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.LEFT;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.LENGTH;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.LONG;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.NUMBERING;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.PROBE;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.PROBE_ADDRESS;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.PROCESS;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.QUIET;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.REACHES;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.REACHES_ALL;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.REACHES_NOT_ALL;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.REASON;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.REASON_BYTES;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.START;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.STATE;
import static dev.sortie.parallel.comm.transport.shm.ControlLayout.WRITING;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.Failure;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

/** The first failure of a job and its ranks' signs of life, in memory that all ranks see. */
final class Control {
  private static final CommException.Kind[] KINDS = CommException.Kind.values();

  private final MemorySegment memory;

  Control(MemorySegment memory) {
    this.memory = memory;
  }

  /** Publishes a failure unless there is one. */
  void fail(Failure failure) {
    if (INT.compareAndSet(memory, STATE, QUIET, WRITING)) {
      byte[] text = failure.reason().getBytes(StandardCharsets.UTF_8);
      byte[] kept = Arrays.copyOf(text, Math.min(text.length, REASON_BYTES));
      MemorySegment.copy(MemorySegment.ofArray(kept), 0, memory, REASON, kept.length);
      INT.set(memory, KIND, failure.kind().ordinal());
      INT.set(memory, LENGTH, kept.length);
      INT.setRelease(memory, STATE, FAILED);
    }
  }

  Optional<Failure> failure() {
    if ((int) INT.getAcquire(memory, STATE) != FAILED) {
      return Optional.empty();
    }
    byte[] text = new byte[Math.clamp((int) INT.get(memory, LENGTH), 0, REASON_BYTES)];
    MemorySegment.copy(memory, REASON, MemorySegment.ofArray(text), 0, text.length);
    int kind = Math.clamp((int) INT.get(memory, KIND), 0, KINDS.length - 1);
    return Optional.of(new Failure(KINDS[kind], new String(text, StandardCharsets.UTF_8)));
  }

  /**
   * Publishes this rank's process.
   *
   * @param probe eight bytes of its own memory, which get a random number
   */
  void enter(int rank, MemorySegment probe) {
    long random = new SecureRandom().nextLong();
    probe.set(JAVA_LONG, 0, random);
    LONG.set(memory, ControlLayout.rank(rank) + PROBE_ADDRESS, probe.address());
    LONG.set(memory, ControlLayout.rank(rank) + PROBE, random);
    ProcessHandle me = ProcessHandle.current();
    LONG.set(memory, ControlLayout.rank(rank) + PROCESS, me.pid());
    LONG.set(memory, ControlLayout.rank(rank) + START, start(me));
    LONG.set(memory, ControlLayout.rank(rank) + NUMBERING, ProcessNumbers.numbering());
    LONG.setRelease(memory, ControlLayout.rank(rank) + BEAT, 1L);
  }

  long probeAddress(int rank) {
    return (long) LONG.get(memory, ControlLayout.rank(rank) + PROBE_ADDRESS);
  }

  /** The number that a rank shows and that stands at its probe's address. */
  long probe(int rank) {
    return (long) LONG.get(memory, ControlLayout.rank(rank) + PROBE);
  }

  /** A rank says whether it can read all others' memory. */
  void reach(int rank, boolean all) {
    LONG.setRelease(
        memory, ControlLayout.rank(rank) + REACHES, all ? REACHES_ALL : REACHES_NOT_ALL);
  }

  /** Whether a rank can read all others' memory, once it has said so. */
  Optional<Boolean> reachOf(int rank) {
    long said = (long) LONG.getAcquire(memory, ControlLayout.rank(rank) + REACHES);
    return said == 0 ? Optional.empty() : Optional.of(said == REACHES_ALL);
  }

  void beat(int rank) {
    LONG.getAndAdd(memory, ControlLayout.rank(rank) + BEAT, 1L);
  }

  void leave(int rank) {
    LONG.setRelease(memory, ControlLayout.rank(rank) + BEAT, LEFT);
  }

  /** A number that changes while the rank lives; {@link ControlLayout#LEFT} once it has left. */
  long beatOf(int rank) {
    return (long) LONG.getAcquire(memory, ControlLayout.rank(rank) + BEAT);
  }

  long process(int rank) {
    return (long) LONG.get(memory, ControlLayout.rank(rank) + PROCESS);
  }

  /**
   * The process of a rank, if it can be seen: in another container the number may be free or
   * someone else's.
   */
  Optional<ProcessHandle> handle(int rank) {
    long started = (long) LONG.get(memory, ControlLayout.rank(rank) + START);
    return ProcessHandle.of(process(rank)).filter(p -> start(p) == started);
  }

  /**
   * Whether a rank that has entered has no process any more. A number that is in use again, or that
   * other processes may have where the rank runs, tells nothing.
   */
  boolean isGone(int rank) {
    long numbering = (long) LONG.get(memory, ControlLayout.rank(rank) + NUMBERING);
    return numbering != ProcessNumbers.UNKNOWN
        && numbering == ProcessNumbers.numbering()
        && ProcessHandle.of(process(rank)).isEmpty();
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }
}
