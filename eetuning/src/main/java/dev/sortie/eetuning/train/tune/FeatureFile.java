package dev.sortie.eetuning.train.tune;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One kind of hidden state of all windows in a mapped file: F32 {@code [windows, elements]}, and
 * next to it, in {@code NAME.filled}, a byte for each window that says whether its row is there.
 * The bytes are written after the rows are on disk: a row that they name is whole. Rows are read
 * through the map and written past it, since only a write can say that the disk is full.
 *
 * <p>Replicas write rows of one file, each its bytes of its own, {@code NAME.filled-1} and so on,
 * and read all others' when they save. Two that compute the same window write the same row.
 */
final class FeatureFile implements AutoCloseable {
  private final Path file;
  private final Path mine;
  private final FileChannel channel;
  private final Span rows;
  private final long elements;
  private final byte[] filled;
  private boolean changed;

  /**
   * Opens a file or makes it. The first replica does so before the others.
   *
   * @param replica that has it open, from 0
   */
  FeatureFile(Path file, int windows, long elements, NativeArena arena, int replica) {
    this.file = file;
    this.mine = file.resolveSibling(noteName() + (replica == 0 ? "" : "-" + replica));
    this.elements = elements;
    this.filled = new byte[windows];
    long bytes = windows * elements * Float.BYTES;
    try {
      this.channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      if (channel.size() != bytes) { // notes about what was there before say nothing
        for (Path note : notes()) {
          Files.delete(note);
        }
      }
      MemorySegment map = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena.arena());
      this.rows = arena.wrap(DType.F32, windows * elements, map).span();
      readNotes();
    } catch (IOException e) {
      throw new InputException(file + ": cannot be mapped: " + InputFiles.reason(e), e);
    }
  }

  private String noteName() {
    return file.getFileName() + ".filled";
  }

  private List<Path> notes() throws IOException {
    String name = noteName();
    try (Stream<Path> all = Files.list(file.toAbsolutePath().getParent())) {
      return all.filter(f -> f.getFileName().toString().matches(Pattern.quote(name) + "(-\\d+)?"))
          .toList();
    }
  }

  private void readNotes() throws IOException {
    for (Path note : notes()) {
      byte[] read = Files.readAllBytes(note);
      for (int i = 0; i < filled.length && read.length == filled.length; i++) {
        filled[i] |= read[i];
      }
    }
  }

  boolean has(long window) {
    return filled[(int) window] != 0;
  }

  Span row(long window) {
    return rows.slice(window * elements, elements);
  }

  /**
   * Writes the row of a window.
   *
   * @throws InputException if the disk is full; what was written before stays of use
   */
  void write(long window, Span row) {
    try {
      channel.position(window * elements * Float.BYTES);
      AtomicFiles.writeFully(channel, row.readOnly());
    } catch (IOException e) {
      throw cannotWrite(e);
    }
    filled[(int) window] = 1;
    changed = true;
  }

  private InputException cannotWrite(IOException e) {
    return new InputException(
        "%s: cannot be written: %s; free some space or name a folder on another disk (--feature-cache of tune, --out of demo), then run the same command again"
            .formatted(file, InputFiles.reason(e)),
        e);
  }

  /** Makes the rows that were written durable, then known, and learns of the others'. */
  void save() {
    if (!changed) {
      return;
    }
    try {
      channel.force(false);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
    AtomicFiles.write(mine, filled);
    changed = false;
    try {
      readNotes();
    } catch (IOException e) {
      throw new InputException(file + ": its notes cannot be read: " + InputFiles.reason(e), e);
    }
  }

  /** Closes the file; the rows stay readable as long as their arena. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }
}
