package dev.sortie.nn.format;

import dev.sortie.nn.Printable;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * Writes one safetensors file. The bytes depend on the tensors, the metadata and their order alone.
 * The data starts at a multiple of 64 bytes, which also meets the 8 that other writers keep.
 */
public final class SafetensorsWriter {
  private static final int ALIGN = 64;

  private final SequencedMap<String, String> metadata = new LinkedHashMap<>();
  private final SequencedMap<String, PendingTensor> tensors = new LinkedHashMap<>();

  /** An empty file. */
  public SafetensorsWriter() {}

  /** Adds a string to {@code __metadata__}. */
  public SafetensorsWriter metadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  /** Adds a tensor; its elements are read when writing, not now. */
  public SafetensorsWriter tensor(String name, Span data, long... shape) {
    return tensor(name, data, Arrays.stream(shape).boxed().toList());
  }

  /**
   * Adds a tensor; its elements are read when writing, not now.
   *
   * @throws IllegalArgumentException if the name is taken or not allowed, or the shape does not
   *     hold the elements
   */
  public SafetensorsWriter tensor(String name, Span data, List<Long> shape) {
    PendingTensor.check(name, data, shape);
    return tensor(name, data.dtype(), shape, () -> data);
  }

  /**
   * Adds a tensor whose elements are made when their turn comes.
   *
   * @param data gives them, once; they are written before the next tensor's are asked for
   * @throws IllegalArgumentException if the name is taken or not allowed, or the format cannot hold
   *     the type or the shape
   */
  public SafetensorsWriter tensor(String name, DType dtype, List<Long> shape, Supplier<Span> data) {
    if (dtype.isQuantised()) {
      throw new IllegalArgumentException(
          "safetensors cannot hold " + dtype + " of tensor " + name + "; copy it to BF16");
    }
    String fault = SafetensorsHeader.nameFault(name);
    if (fault != null) {
      throw new IllegalArgumentException("tensor name " + Printable.value(name) + " " + fault);
    }
    if (shape.size() > SafetensorsHeader.MAX_RANK || shape.stream().anyMatch(d -> d < 0)) {
      throw new IllegalArgumentException(
          "tensor %s: shape %s is none".formatted(Printable.value(name), shape));
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
   * @throws dev.sortie.nn.InputException if the file cannot be written
   */
  public void write(Path target) {
    byte[] header = header(target);
    AtomicFiles.write(
        target,
        out -> {
          AtomicFiles.writeFully(out, ByteBuffer.wrap(header));
          for (var tensor : tensors.entrySet()) {
            tensor.getValue().write(tensor.getKey(), out);
          }
        });
  }

  private byte[] header(Path target) {
    Map<String, Object> root = new LinkedHashMap<>();
    if (!metadata.isEmpty()) {
      root.put(SafetensorsHeader.METADATA, metadata);
    }
    long begin = 0;
    for (var tensor : tensors.entrySet()) {
      PendingTensor of = tensor.getValue();
      long end = Math.addExact(begin, of.bytes());
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("dtype", of.dtype().name());
      entry.put("shape", of.shape());
      entry.put("data_offsets", List.of(begin, end));
      root.put(tensor.getKey(), entry);
      begin = end;
    }
    byte[] json = Json.utf8(target.toString(), Json.compact(root));
    int start = (SafetensorsHeader.LENGTH_BYTES + json.length + ALIGN - 1) / ALIGN * ALIGN;
    int length = start - SafetensorsHeader.LENGTH_BYTES;
    if (length > SafetensorsHeader.MAX_BYTES || tensors.size() > SafetensorsHeader.MAX_TENSORS) {
      throw new IllegalArgumentException(
          "%s: header of %d bytes and %d tensors is beyond %d bytes or %d tensors; write shards"
              .formatted(
                  target,
                  length,
                  tensors.size(),
                  SafetensorsHeader.MAX_BYTES,
                  SafetensorsHeader.MAX_TENSORS));
    }
    byte[] header = new byte[start];
    Arrays.fill(header, (byte) ' ');
    ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(json);
    return header;
  }
}
