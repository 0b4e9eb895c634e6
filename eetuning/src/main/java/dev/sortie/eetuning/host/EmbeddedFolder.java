package dev.sortie.eetuning.host;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.CacheFolder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * Folders that travel inside the jar. Models and exits are mapped from files, so a folder is
 * unpacked once into the user's cache folder, under a name that its contents' checksums give. The
 * jar holds the checksums, so a folder that is there is checked without unpacking anything.
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
    return path(cache());
  }

  /** Whether a path is where it lies unpacked, or where another version unpacked its own. */
  boolean lies(Path path) {
    Path folder = path.toAbsolutePath().normalize();
    return cache().toAbsolutePath().normalize().equals(folder.getParent())
        && folder.getFileName().toString().matches(Pattern.quote(directory) + "-[0-9a-f]{8}");
  }

  private static Path cache() {
    return CacheFolder.of("sortie");
  }

  /** The same below another cache folder. */
  Path path(Path cache) {
    Map<String, EmbeddedFile> files = new LinkedHashMap<>();
    CRC32 contents = new CRC32();
    for (String name : names) {
      EmbeddedFile file = EmbeddedFile.of(EmbeddedFolder.class, directory + "/" + name);
      files.put(name, file);
      contents.update(file.checksum().getBytes(StandardCharsets.US_ASCII));
    }
    Path folder = cache.resolve("%s-%08x".formatted(directory, contents.getValue()));
    if (Files.isDirectory(folder)) {
      renew(files, folder);
    } else {
      unpack(files, folder);
    }
    return folder;
  }

  /** Writes again what is not as it was unpacked; who has an old file mapped keeps its bytes. */
  private static void renew(Map<String, EmbeddedFile> files, Path folder) {
    files.forEach(
        (name, embedded) -> {
          Path file = folder.resolve(name);
          if (!embedded.isIn(file)) {
            AtomicFiles.write(file, embedded.bytes());
            System.getLogger(EmbeddedFolder.class.getName())
                .log(System.Logger.Level.WARNING, file + ": was damaged and is written again");
          }
        });
  }

  private static void unpack(Map<String, EmbeddedFile> files, Path folder) {
    Folders.create(folder.getParent());
    try {
      AtomicFiles.writeFolder(
          folder,
          temporary ->
              files.forEach(
                  (name, file) -> AtomicFiles.write(temporary.resolve(name), file.bytes())));
    } catch (InputException e) {
      if (!Files.isDirectory(folder)) { // otherwise another process was faster
        throw e;
      }
    }
  }
}
