package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.CacheFolder;
import dev.sortie.nn.file.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Folders that travel inside the jar. Models and exits are mapped from files, so a folder is
 * unpacked once into the user's cache folder, under a name that carries its contents' hash.
 */
public enum EmbeddedFolder {
  /** The model {@code fable}, a small decoder trained by {@code sortie pretrain} on stories. */
  FABLE(
      "fable",
      "config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "README.md"),

  /** Exits of {@code fable}, tuned and calibrated. */
  FABLE_EXITS("fable-exits", "exits.safetensors", "exits.json", "thresholds.json", "README.md"),

  /** Exits of SmolLM2-135M-Instruct, tuned by {@code sortie tune} on its own answers. */
  SMOLLM2_EXITS(
      "smollm2-exits",
      "exits.safetensors",
      "exits.json",
      "ngrams.safetensors",
      "thresholds.json",
      "README.md");

  private final String directory;
  private final List<String> names;

  EmbeddedFolder(String directory, String... names) {
    this.directory = directory;
    this.names = List.of(names);
  }

  /** Where it lies unpacked. */
  public Path path() {
    return path(CacheFolder.of("sortie"));
  }

  /** The same below another cache folder. */
  Path path(Path cache) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    Sha256 sha = new Sha256();
    for (String name : names) {
      byte[] bytes = resource(name);
      files.put(name, bytes);
      sha.update(bytes);
    }
    Path folder = cache.resolve(directory + "-" + sha.hex().substring(0, 16));
    if (Files.isDirectory(folder)) {
      renew(files, folder);
    } else {
      unpack(files, folder);
    }
    return folder;
  }

  /** Writes again what is not as it was unpacked; who has an old file mapped keeps its bytes. */
  private static void renew(Map<String, byte[]> files, Path folder) {
    files.forEach(
        (name, bytes) -> {
          Path file = folder.resolve(name);
          if (!holds(file, bytes)) {
            AtomicFiles.write(file, bytes);
            System.getLogger(EmbeddedFolder.class.getName())
                .log(System.Logger.Level.WARNING, file + ": was damaged and is written again");
          }
        });
  }

  private static boolean holds(Path file, byte[] bytes) {
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
        Arena arena = Arena.ofConfined()) {
      return in.size() == bytes.length
          && in.map(FileChannel.MapMode.READ_ONLY, 0, bytes.length, arena)
                  .mismatch(MemorySegment.ofArray(bytes))
              < 0;
    } catch (IOException e) {
      return false; // not there, or not to be read
    }
  }

  private byte[] resource(String name) {
    try (InputStream in = EmbeddedFolder.class.getResourceAsStream(directory + "/" + name)) {
      if (in == null) {
        throw new IllegalStateException(
            "the jar lacks %s/%s: this build of Sortie is incomplete".formatted(directory, name));
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name + " of " + directory, e);
    }
  }

  private static void unpack(Map<String, byte[]> files, Path folder) {
    Folders.create(folder.getParent());
    try {
      AtomicFiles.writeFolder(
          folder,
          temporary ->
              files.forEach((name, bytes) -> AtomicFiles.write(temporary.resolve(name), bytes)));
    } catch (InputException e) {
      if (!Files.isDirectory(folder)) { // otherwise another process was faster
        throw e;
      }
    }
  }
}
