package dev.sortie.nn.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;

/**
 * The index of a sharded model: which file of the folder holds which tensor.
 *
 * @param file the index itself
 * @param shards file of each tensor, in the order of the index
 * @param totalSize bytes of all tensors, where the index says so
 */
record ShardIndex(Path file, SequencedMap<String, Path> shards, OptionalLong totalSize) {
  private static final JsonLimits LIMITS = new JsonLimits(100_000_000, 4, 1 << 16);
  private static final int MAX_SHARDS = 10_000;
  private static final int LONGEST_NAME = 255;

  static ShardIndex read(Path file) {
    JsonObject json = Json.read(file, LIMITS);
    json.refuseUnknown(Set.of("metadata", "weight_map"));
    JsonObject map = json.getObject("weight_map");
    SequencedMap<String, Path> shards = new LinkedHashMap<>();
    SequencedMap<String, Path> known = new LinkedHashMap<>();
    for (String tensor : map.fields().keySet()) {
      String name = map.getString(tensor);
      Path shard = known.get(name);
      if (shard == null) {
        shard = shard(file, map, tensor, name);
        known.put(name, shard);
      }
      if (known.size() > MAX_SHARDS) {
        throw new InputException(
            "%s: names more than %d files, which is the limit".formatted(file, MAX_SHARDS));
      }
      shards.put(tensor, shard);
    }
    if (shards.isEmpty()) {
      throw new InputException(
          file + ": field \"weight_map\" is empty, expected tensor to file name");
    }
    return new ShardIndex(file, shards, totalSize(json));
  }

  /** The shard files, each once. */
  SequencedSet<Path> files() {
    return new LinkedHashSet<>(shards.values());
  }

  /** Some published indexes write the size as a float; up to 2^53 that is exact too. */
  private static OptionalLong totalSize(JsonObject json) {
    if (!json.has("metadata") || !json.getObject("metadata").has("total_size")) {
      return OptionalLong.empty();
    }
    JsonObject metadata = json.getObject("metadata");
    double size = metadata.getDouble("total_size", 0, SafetensorsHeader.MAX_NUMBER);
    if (size != Math.rint(size)) {
      throw metadata.error("total_size", "a whole number of bytes");
    }
    return OptionalLong.of((long) size);
  }

  private static Path shard(Path index, JsonObject map, String tensor, String name) {
    boolean plain =
        name.length() <= LONGEST_NAME
            && name.endsWith(".safetensors")
            && !name.startsWith(".")
            && name.chars()
                .noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c));
    if (!plain) {
      throw map.error(
          tensor,
          "a plain file name of at most " + LONGEST_NAME + " letters that ends in .safetensors");
    }
    Path folder = index.toAbsolutePath().getParent();
    Path shard;
    try {
      shard = index.resolveSibling(name);
    } catch (InvalidPathException e) { // letters that this system's encoding of names has not
      throw map.error(tensor, "a file name that this system can write");
    }
    InputFiles.requireRegular(shard);
    try {
      Path real = shard.toRealPath();
      if (!real.getParent().equals(folder.toRealPath()) && !isBlob(folder, real)) {
        throw new InputException(
            "%s: field \"weight_map.%s\" is %s, a link to %s outside the folder; copy it there"
                .formatted(index, Printable.line(tensor), Printable.value(name), real));
      }
    } catch (IOException e) {
      throw InputFiles.cannotRead(shard, e);
    }
    return shard;
  }

  /**
   * Whether the folder is a snapshot in the cache of the Hugging Face hub and the file one of the
   * same repository: {@code snapshots/COMMIT/FILE} leads to {@code ../../blobs/HASH} there.
   */
  private static boolean isBlob(Path folder, Path real) throws IOException {
    Path snapshots = folder.toRealPath().getParent();
    return snapshots != null
        && snapshots.endsWith("snapshots")
        && real.getParent().equals(snapshots.resolveSibling("blobs"));
  }

  /** Whether a file is there and named as an index. */
  static boolean isIndex(Path file) {
    return Files.isRegularFile(file)
        && file.getFileName().toString().endsWith(".safetensors.index.json");
  }
}
