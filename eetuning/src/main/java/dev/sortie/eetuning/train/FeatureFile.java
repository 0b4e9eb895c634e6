package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.AtomicFiles;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * One kind of hidden state of all windows in a mapped file: F32 {@code [windows, elements]}, and
 * beside it, in {@code NAME.filled}, a byte for each window that says whether its row is there. The
 * bytes are written after the rows are on disk: a row that they name is whole.
 */
final class FeatureFile {
  private final Path filledFile;
  private final MemorySegment map;
  private final Span rows;
  private final long elements;
  private final byte[] filled;
  private boolean changed;

  FeatureFile(Path file, int windows, long elements, NativeArena arena) {
    this.filledFile = file.resolveSibling(file.getFileName() + ".filled");
    this.elements = elements;
    long bytes = windows * elements * Float.BYTES;
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      boolean known = channel.size() == bytes && Files.exists(filledFile);
      this.map = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena.arena());
      this.rows = arena.wrap(DType.F32, windows * elements, map).span();
      byte[] read = known ? Files.readAllBytes(filledFile) : new byte[windows];
      this.filled = read.length == windows ? read : new byte[windows];
    } catch (IOException e) {
      throw new InputException(file + ": cannot be mapped: " + e, e);
    }
  }

  boolean has(long window) {
    return filled[(int) window] != 0;
  }

  Span row(long window) {
    return rows.slice(window * elements, elements);
  }

  /** Notes that the row of a window was written. */
  void filled(long window) {
    filled[(int) window] = 1;
    changed = true;
  }

  void save() {
    if (changed) {
      map.force();
      AtomicFiles.write(filledFile, filled);
      changed = false;
    }
  }
}
