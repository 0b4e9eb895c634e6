package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * Writes one GGUF file, version 3, with its tensors at multiples of 32 bytes. The bytes depend on
 * the metadata, the tensors and their order alone.
 */
public final class GgufWriter {
  private static final int VERSION = 3;
  private static final int ALIGNMENT = GgufHeader.DEFAULT_ALIGNMENT;

  private final SequencedMap<String, GgufValue> metadata = new LinkedHashMap<>();
  private final SequencedMap<String, PendingTensor> tensors = new LinkedHashMap<>();

  /** An empty file. */
  public GgufWriter() {}

  /**
   * Adds a pair.
   *
   * @throws IllegalArgumentException if the key is taken or not allowed
   */
  public GgufWriter metadata(String key, GgufValue value) {
    if (key.isEmpty() || key.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "metadata key " + Printable.value(key) + " is not allowed");
    }
    if (key.equals(GgufMetadata.ALIGNMENT)) {
      throw new IllegalArgumentException("the alignment is the writer's own, " + ALIGNMENT);
    }
    if (metadata.putIfAbsent(key, value) != null) {
      throw new IllegalArgumentException(
          "metadata key " + Printable.value(key) + " is added twice");
    }
    return this;
  }

  /** Adds a string. */
  public GgufWriter metadata(String key, String value) {
    return metadata(key, new GgufValue.Text(value));
  }

  /** Adds an unsigned 32-bit integer. */
  public GgufWriter metadata(String key, int value) {
    return metadata(key, new GgufValue.Whole(GgufType.UINT32, value & 0xffffffffL));
  }

  /** Adds a boolean. */
  public GgufWriter metadata(String key, boolean value) {
    return metadata(key, new GgufValue.Flag(value));
  }

  /** Adds a tensor; its elements are read when writing, not now. */
  public GgufWriter tensor(String name, Span data, List<Long> shape) {
    PendingTensor.check(name, data, shape);
    return tensor(name, data.dtype(), shape, () -> data);
  }

  /**
   * Adds a tensor whose elements are made when their turn comes.
   *
   * @param data gives them, once; they are written before the next tensor's are asked for
   * @throws IllegalArgumentException if the name is taken or not allowed, or the format cannot hold
   *     the shape
   */
  public GgufWriter tensor(String name, DType dtype, List<Long> shape, Supplier<Span> data) {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    if (length < 1
        || length > GgufHeader.MAX_NAME
        || name.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "tensor name %s is not allowed, 1 to %d bytes are"
              .formatted(Printable.value(name), GgufHeader.MAX_NAME));
    }
    if (shape.isEmpty()
        || shape.size() > GgufHeader.MAX_RANK
        || shape.stream().anyMatch(d -> d < 1)
        || shape.getLast() % dtype.block() != 0) {
      throw new IllegalArgumentException(
          "tensor %s: GGUF cannot hold %s of shape %s"
              .formatted(Printable.value(name), dtype, shape));
    }
    if (tensors.putIfAbsent(name, new PendingTensor(dtype, shape, data)) != null) {
      throw new IllegalArgumentException("tensor " + Printable.value(name) + " is added twice");
    }
    return this;
  }

  /**
   * Writes the file atomically, as {@link AtomicFiles} does; a mapped file of the same name stays
   * valid.
   *
   * @throws InputException if the file cannot be written
   */
  public void write(Path target) {
    byte[] header = header();
    AtomicFiles.write(
        target,
        out -> {
          AtomicFiles.writeFully(out, ByteBuffer.wrap(header));
          for (var tensor : tensors.entrySet()) {
            tensor.getValue().write(tensor.getKey(), out);
            pad(out, tensor.getValue().bytes());
          }
        });
  }

  private static void pad(FileChannel out, long bytes) throws IOException {
    int count = (int) (GgufHeader.padded(bytes, ALIGNMENT) - bytes);
    AtomicFiles.writeFully(out, ByteBuffer.allocate(count));
  }

  private byte[] header() {
    Bytes out = new Bytes();
    out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    out.u32(VERSION);
    out.u64(tensors.size());
    out.u64(metadata.size());
    metadata.forEach(
        (key, value) -> {
          out.string(key);
          out.u32(value.type().ordinal());
          out.value(value);
        });
    long offset = 0;
    for (var tensor : tensors.entrySet()) {
      PendingTensor entry = tensor.getValue();
      out.string(tensor.getKey());
      out.u32(entry.shape().size());
      entry.shape().reversed().forEach(out::u64);
      out.u32(GgmlType.of(entry.dtype()).number());
      out.u64(offset);
      offset = Math.addExact(offset, GgufHeader.padded(entry.bytes(), ALIGNMENT));
    }
    out.writeBytes(new byte[(int) (GgufHeader.padded(out.size(), ALIGNMENT) - out.size())]);
    return out.toByteArray();
  }

  /** Little-endian output. */
  private static final class Bytes extends ByteArrayOutputStream {
    void u32(int value) {
      writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    void u64(long value) {
      writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    void string(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      u64(utf8.length);
      writeBytes(utf8);
    }

    void value(GgufValue value) {
      switch (value) {
        case GgufValue.Text(String text) -> string(text);
        case GgufValue.Flag(boolean flag) -> write(flag ? 1 : 0);
        case GgufValue.Real(GgufType type, double real) -> {
          if (type == GgufType.FLOAT32) {
            u32(Float.floatToRawIntBits((float) real));
          } else {
            u64(Double.doubleToRawLongBits(real));
          }
        }
        case GgufValue.Whole(GgufType type, long whole) -> {
          for (int b = 0; b < type.leastBytes(); b++) {
            write((int) (whole >> 8 * b));
          }
        }
        case GgufValue.Array(GgufType elements, int count, MemorySegment bytes) -> {
          u32(elements.ordinal());
          u64(count);
          writeBytes(bytes.toArray(ValueLayout.JAVA_BYTE));
        }
      }
    }
  }
}
