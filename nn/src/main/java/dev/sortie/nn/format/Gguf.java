package dev.sortie.nn.format;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.SequencedMap;

/**
 * A GGUF file (version 2 or 3, little-endian), memory-mapped: metadata and tensors, the quantised
 * ones as the blocks they are. Every rule of the format is checked when opening; {@link #read} then
 * only slices. A file must not be shortened while it is open: the memory behind it would be gone.
 * Source of the format: the GGUF specification of the ggml project; offsets must follow each other
 * without holes, as its reader demands too, and nothing may follow the last tensor.
 */
public final class Gguf implements WeightSource {
  private final Path file;
  private final NativeArena arena;
  private final MemorySegment bytes;
  private final GgufHeader header;

  private Gguf(Path file, NativeArena arena, MemorySegment bytes, GgufHeader header) {
    this.file = file;
    this.arena = arena;
    this.bytes = bytes;
    this.header = header;
  }

  /** Whether {@code path} is a file that is named as a GGUF file is. */
  public static boolean isGguf(Path path) {
    Path name = path.getFileName();
    return name != null
        && name.toString().toLowerCase(Locale.ROOT).endsWith(".gguf")
        && !Files.isDirectory(path);
  }

  /**
   * Opens a file.
   *
   * @throws InputException if it breaks a rule of the format
   */
  public static Gguf open(Path file) {
    InputFiles.requireRegular(file);
    NativeArena arena = new NativeArena("GGUF source " + file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      MemorySegment bytes =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena.arena());
      GgufHeader header = GgufHeader.parse(file, bytes);
      checkPadding(file, bytes, header);
      return new Gguf(file, arena, bytes, header);
    } catch (IOException e) {
      arena.close();
      throw InputFiles.cannotRead(file, e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  @Override
  public Path origin() {
    return file;
  }

  /**
   * The key-value pairs; lists are read from the mapped file, so use them before {@link #close}.
   */
  public GgufMetadata metadata() {
    return header.metadata();
  }

  @Override
  public SequencedMap<String, TensorInfo> tensors() {
    return header.tensors();
  }

  @Override
  public Span read(String name) {
    TensorInfo info = tensors().get(name);
    if (info == null) {
      throw new InputException(
          "%s: has no tensor %s among its %d; is it another model family?"
              .formatted(file, Printable.value(name), tensors().size()));
    }
    MemorySegment data = bytes.asSlice(info.offset(), info.bytes());
    return arena.wrap(info.dtype(), info.elements(), data).span();
  }

  @Override
  public void close() {
    arena.close();
  }

  /** The last tensor may be padded or not. Padding that is not zero harms nobody, but is odd. */
  private static void checkPadding(Path file, MemorySegment bytes, GgufHeader header) {
    long most = GgufHeader.padded(header.dataEnd(), header.alignment());
    if (bytes.byteSize() > most) {
      throw new InputException(
          "%s: has %d bytes, but its last tensor ends at %d; fetch it again"
              .formatted(file, bytes.byteSize(), header.dataEnd()));
    }
    for (TensorInfo info : header.tensors().values()) {
      long end = info.offset() + info.bytes();
      long next = Math.min(bytes.byteSize(), GgufHeader.padded(end, header.alignment()));
      for (long at = end; at < next; at++) {
        if (bytes.get(JAVA_BYTE, at) != 0) {
          System.getLogger(Gguf.class.getName())
              .log(
                  System.Logger.Level.WARNING,
                  "{0}: padding after tensor {1} is not zero",
                  file,
                  Printable.value(info.name()));
          return;
        }
      }
    }
  }
}
