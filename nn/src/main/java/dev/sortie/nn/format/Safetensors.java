package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;

/**
 * Weights in safetensors files, one or many shards, memory-mapped. Every rule of the format is
 * checked when opening; {@link #read} then only slices. A file must not be shortened while it is
 * open: the memory behind it would be gone. Source of the format: the safetensors README, with
 * duplicate names and trailing bytes refused where its text and its reader differ.
 */
public final class Safetensors implements WeightSource {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  private final Path origin;
  private final NativeArena arena;
  private final Map<Path, MemorySegment> files = new HashMap<>();
  private final SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
  private final Map<String, Long> buffers = new HashMap<>();
  private final SequencedMap<String, String> metadata = new LinkedHashMap<>();
  private final Predicate<String> isBuffer;

  private Safetensors(Path origin, Predicate<String> isBuffer) {
    this.origin = origin;
    this.isBuffer = isBuffer;
    this.arena = new NativeArena("safetensors source " + origin);
  }

  /**
   * Opens a {@code .safetensors} file, a {@code .safetensors.index.json} with its shards, or a
   * folder that has {@code model.safetensors} or {@code model.safetensors.index.json}.
   *
   * @throws InputException if a file breaks a rule of the format
   */
  public static Safetensors open(Path fileOrFolder) {
    return open(fileOrFolder, name -> false);
  }

  /**
   * As above.
   *
   * @param isBuffer names of tensors that are no weights: they may be of a type that this engine
   *     has not, and are then left out
   * @throws InputException if a file breaks a rule of the format
   */
  public static Safetensors open(Path fileOrFolder, Predicate<String> isBuffer) {
    Path file = Files.isDirectory(fileOrFolder) ? inFolder(fileOrFolder) : fileOrFolder;
    Safetensors source = new Safetensors(fileOrFolder, isBuffer);
    try {
      if (ShardIndex.isIndex(file)) {
        source.addShards(ShardIndex.read(file));
      } else {
        source.add(file);
      }
      return source;
    } catch (RuntimeException | Error e) {
      source.close();
      throw e;
    }
  }

  @Override
  public Path origin() {
    return origin;
  }

  @Override
  public SequencedMap<String, TensorInfo> tensors() {
    return Collections.unmodifiableSequencedMap(tensors);
  }

  /** The strings of {@code __metadata__}; of shards, those of the first that has the key. */
  public SequencedMap<String, String> metadata() {
    return Collections.unmodifiableSequencedMap(metadata);
  }

  @Override
  public Span read(String name) {
    TensorInfo info = tensors.get(name);
    if (info == null) {
      throw new InputException(
          "%s: has no tensor %s among its %d; is it another model family?"
              .formatted(origin, Printable.value(name), tensors.size()));
    }
    MemorySegment bytes = files.get(info.file()).asSlice(info.offset(), info.bytes());
    return arena.wrap(info.dtype(), info.elements(), bytes).span();
  }

  @Override
  public void close() {
    arena.close();
  }

  private static Path inFolder(Path folder) {
    Path single = folder.resolve(SINGLE);
    Path index = folder.resolve(INDEX);
    boolean hasSingle = Files.exists(single);
    boolean hasIndex = Files.exists(index);
    if (hasSingle && hasIndex) {
      throw new InputException(
          "%s: has both %s and %s; name the one to read".formatted(folder, SINGLE, INDEX));
    }
    if (!hasSingle && !hasIndex) {
      throw new InputException(
          "%s: has neither %s nor %s; name a folder with weights".formatted(folder, SINGLE, INDEX));
    }
    return hasSingle ? single : index;
  }

  private void addShards(ShardIndex index) {
    for (Path shard : index.files()) {
      add(shard);
    }
    // The index orders the tensors; the shards must have just those, each where it says.
    SequencedMap<String, TensorInfo> ordered = new LinkedHashMap<>();
    index
        .shards()
        .forEach(
            (name, shard) -> {
              TensorInfo info = tensors.get(name);
              if (info == null && buffers.containsKey(name)) {
                return;
              }
              if (info == null || !info.file().equals(shard)) {
                throw new InputException(
                    ("%s: field \"weight_map.%s\" is %s, but the tensor is in %s;"
                            + " fetch the folder again")
                        .formatted(
                            index.file(),
                            Printable.line(name),
                            Printable.value(shard.getFileName().toString()),
                            info == null ? "no shard" : info.file().getFileName()));
              }
              ordered.put(name, info);
            });
    for (TensorInfo info : tensors.values()) {
      if (!ordered.containsKey(info.name())) {
        throw new InputException(
            "%s: field \"weight_map\" lacks tensor %s of %s; fetch the folder again"
                .formatted(index.file(), Printable.value(info.name()), info.file().getFileName()));
      }
    }
    tensors.clear();
    tensors.putAll(ordered);
    long bytes = buffers.values().stream().mapToLong(Long::longValue).sum();
    bytes += tensors.values().stream().mapToLong(TensorInfo::bytes).sum();
    if (index.totalSize().isPresent() && index.totalSize().getAsLong() != bytes) {
      throw new InputException(
          ("%s: field \"metadata.total_size\" is %d, the shards have %d bytes of tensors;"
                  + " fetch the folder again")
              .formatted(index.file(), index.totalSize().getAsLong(), bytes));
    }
  }

  private void add(Path file) {
    InputFiles.requireRegular(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      int length = headerLength(file, channel, size);
      byte[] json = bytes(channel, SafetensorsHeader.LENGTH_BYTES, length).array();
      long start = SafetensorsHeader.LENGTH_BYTES + (long) length;
      SafetensorsHeader header = SafetensorsHeader.parse(file, json, size - start, isBuffer);
      header.buffers().forEach(b -> buffers.put(b.name(), b.bytes()));
      for (TensorInfo info : header.tensors().values()) {
        TensorInfo other = tensors.putIfAbsent(info.name(), info);
        if (other != null) {
          throw new InputException(
              "%s: tensor %s is also in %s; one shard must hold it"
                  .formatted(file, Printable.value(info.name()), other.file()));
        }
      }
      header.metadata().forEach(metadata::putIfAbsent);
      files.put(file, channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena.arena()));
    } catch (IOException e) {
      throw InputFiles.cannotRead(file, e);
    }
  }

  private static int headerLength(Path file, FileChannel channel, long size) throws IOException {
    if (size < SafetensorsHeader.LENGTH_BYTES) {
      throw new InputException(
          "%s: has %d bytes, a safetensors file has at least %d"
              .formatted(file, size, SafetensorsHeader.LENGTH_BYTES));
    }
    long length = bytes(channel, 0, SafetensorsHeader.LENGTH_BYTES).getLong();
    long rest = size - SafetensorsHeader.LENGTH_BYTES;
    long most = Math.min(rest, SafetensorsHeader.MAX_BYTES);
    // Unsigned: a length with the top bit set must not pass as a small number.
    if (length == 0 || Long.compareUnsigned(length, most) > 0) {
      throw new InputException(
          "%s: header length is %s, expected 1 to %d (%s); is this a whole safetensors file?"
              .formatted(
                  file,
                  Long.toUnsignedString(length),
                  most,
                  most == rest ? "the file ends there" : "the limit"));
    }
    return (int) length;
  }

  private static ByteBuffer bytes(FileChannel channel, long from, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, from + bytes.position()) < 0) {
        throw new IOException("the file became shorter while it was read");
      }
    }
    return bytes.flip();
  }
}
