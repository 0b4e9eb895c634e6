package dev.sortie.eetuning.train.audit;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.HeldFile;
import dev.sortie.nn.file.InputFiles;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * The record of a run that is under way. Each line is on the disk before the run continues. A run
 * that resumes computes steps again of which the file has lines already: these must be the same,
 * and stay. So a line is never there twice, and none that was written is taken back.
 */
final class AuditFile implements AutoCloseable {
  private final Path path;
  private final HeldFile held;
  private final Deque<AuditLine> ahead = new ArrayDeque<>();
  private String head;
  private long end;

  private AuditFile(Path path, HeldFile held) {
    this.path = path;
    this.held = held;
  }

  /**
   * Opens the record of a run, or begins it.
   *
   * @param header of the run; its leaves are those of now, after {@code done} steps
   * @throws InputException if the file is that of another run, has lines of fewer steps, is written
   *     by another process, or cannot be written
   */
  static AuditFile open(Path path, AuditHeader header, int done) {
    if (done > 0 && !Files.exists(path)) {
      throw new InputException(
          "%s: no such file, and the run resumes after step %d; put the record of its first steps there, or begin again with another --out"
              .formatted(path, done));
    }
    requirePlace(path);
    try {
      HeldFile held =
          HeldFile.open(
                  path,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE)
              .orElseThrow(() -> taken(path));
      AuditFile file = new AuditFile(path, held);
      try {
        if (held.channel().tryLock() == null) {
          throw taken(path);
        }
        if (done == 0) {
          file.begin(AuditLine.first(header).bytes());
        }
        file.resume(header, done);
        return file;
      } catch (IOException | RuntimeException e) {
        file.close();
        throw e;
      }
    } catch (IOException e) {
      throw refused(path, e);
    }
  }

  private static void requirePlace(Path path) {
    if (Files.exists(path)) {
      InputFiles.requireRegular(path);
    } else {
      AtomicFiles.requireFolder(path);
    }
  }

  private static InputException taken(Path path) {
    return new InputException(
        path + ": another run writes this record; wait for its end, or give another --audit");
  }

  private static InputException refused(Path path, IOException e) {
    return new InputException(
        "%s: cannot be written: %s; check free space and permissions"
            .formatted(path, InputFiles.reason(e)),
        e);
  }

  /**
   * Writes the first line where there is nothing yet, or the beginning of it that a kill or a full
   * disk has left. Only now, under the lock: of two runs that begin at once one writes.
   */
  private void begin(byte[] first) throws IOException {
    FileChannel channel = held.channel();
    if (channel.size() >= first.length) {
      return;
    }
    byte[] there = Channels.newInputStream(channel).readAllBytes(); // not closed: stays in use
    if (Arrays.equals(there, 0, there.length, first, 0, there.length)) {
      write(first);
      AtomicFiles.force(path.toAbsolutePath().getParent());
    }
    channel.position(0);
  }

  /** Checks that the lines are those of this run, and keeps those of steps that come again. */
  private void resume(AuditHeader now, int done) throws IOException {
    FileChannel channel = held.channel();
    List<StepEvidence> last = new ArrayList<>();
    // not closed: the channel stays in use
    AuditScan found =
        AuditScan.of(
            new BufferedInputStream(Channels.newInputStream(channel)),
            path.toString(),
            (evidence, previous, line) -> {
              if (evidence.step() == done) {
                last.add(evidence);
              } else if (evidence.step() > done) {
                head = ahead.isEmpty() ? previous : head;
                ahead.add(line);
              }
            });
    found
        .header()
        .difference(now)
        .ifPresent(
            d -> {
              throw new InputException(
                  "%s: is the record of another run: its %s is %s, now it is %s; give another --audit"
                      .formatted(path, d.what(), d.recorded(), d.replayed()));
            });
    if (found.steps() < done) {
      throw new InputException(
          "%s: ends after step %d, and the run resumes after step %d; put back its missing lines, or begin again with another --out"
              .formatted(path, found.steps(), done));
    }
    List<String> leaves = done == 0 ? found.header().start() : last.getFirst().leaves();
    StepEvidence.tensors(leaves, now.start(), now.tensors())
        .ifPresent(
            d -> {
              throw new InputException(
                  "%s: is the record of another run: after step %d %s has hash %s, here it has %s; give another --audit"
                      .formatted(path, done, d.what(), d.recorded(), d.replayed()));
            });
    head = ahead.isEmpty() ? found.head() : head;
    end = found.bytes();
    if (channel.size() > end) {
      channel.truncate(end); // a line that a kill or a full disk has cut short
      channel.force(true);
    }
  }

  /** Adds the line of the next step, or finds it there. It is on the disk when this returns. */
  void append(StepEvidence evidence) {
    AuditLine line = AuditLine.of(evidence, head);
    AuditLine there = ahead.poll();
    if (there == null) {
      write(line.bytes());
    } else if (!there.equals(line)) {
      throw new InputException(
          "%s: the line of step %d is not what this run computes; if the step before it is right, move the file away, remove its lines from step %d on, and run again"
              .formatted(path, evidence.step(), evidence.step()));
    }
    head = line.hash();
  }

  private void write(byte[] line) {
    FileChannel channel = held.channel();
    try {
      channel.position(end);
      AtomicFiles.writeFully(channel, ByteBuffer.wrap(line));
      channel.force(false);
      end += line.length;
    } catch (IOException e) {
      cutBack(channel);
      throw refused(path, e);
    }
  }

  /** Best effort: who opens the file again leaves out the beginning of a line. */
  private void cutBack(FileChannel channel) {
    try {
      channel.truncate(end);
    } catch (IOException e) {
      System.getLogger(AuditFile.class.getName())
          .log(System.Logger.Level.WARNING, "{0}: ends within a line", path);
    }
  }

  /** Hash of the line of the last step. */
  String head() {
    return head;
  }

  @Override
  public void close() {
    try {
      held.close();
    } catch (IOException e) {
      throw refused(path, e);
    }
  }
}
