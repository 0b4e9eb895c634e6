package dev.sortie.eetuning.sample;

import dev.sortie.eetuning.decode.chat.PromptKey;
import dev.sortie.eetuning.host.Folders;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.AtomicFiles;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.data.TokenDataset;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The folder of a run: shards of sampled texts, and {@code manifest.json}, which says what they
 * were sampled from and has the hash of each. A shard appears whole, then the manifest names it; a
 * shard that no manifest names is written again.
 */
final class SampleFolder {
  static final String MANIFEST = "manifest.json";

  private static final String FORMAT = "sortie-samples";
  private static final int VERSION = 2;
  private static final String SHARDS = "samples";

  private final Path folder;
  private final Map<String, Object> key;
  private final List<Shard> shards = new ArrayList<>();

  /**
   * A shard.
   *
   * @param file its name below {@code samples}
   * @param sha256 of its bytes
   * @param texts its lines
   * @param tokens of all its texts
   * @param kernels the kernel set that computed it
   */
  private record Shard(String file, String sha256, int texts, long tokens, String kernels) {
    Map<String, Object> json() {
      return Json.object(
          "file", file, "sha256", sha256, "texts", texts, "tokens", tokens, "kernels", kernels);
    }

    static Shard of(JsonObject json) {
      return new Shard(
          json.getString("file"),
          json.getString("sha256"),
          json.getInt("texts", 1, Integer.MAX_VALUE),
          json.getLong("tokens", 1, Long.MAX_VALUE),
          json.getString("kernels"));
    }
  }

  private SampleFolder(Path folder, Map<String, Object> key) {
    this.folder = folder;
    this.key = key;
  }

  /**
   * The folder of a run, new or begun.
   *
   * @param key what decides the texts, by name: strings, whole numbers and lists of these
   * @throws InputException if the folder holds texts of something else, which is named
   */
  static SampleFolder open(Path folder, Map<String, Object> key) {
    SampleFolder opened = new SampleFolder(folder, new LinkedHashMap<>(key));
    Path manifest = folder.resolve(MANIFEST);
    if (Files.exists(manifest)) {
      opened.read(Json.read(manifest));
    } else {
      opened.requireNoTexts();
    }
    Folders.create(folder.resolve(SHARDS));
    deleteTemporaries(folder, name -> name.equals(MANIFEST) || KeptTexts.FILES.contains(name));
    deleteTemporaries(folder.resolve(SHARDS), name -> name.endsWith(".jsonl"));
    return opened;
  }

  /** Files of somebody else would be replaced. */
  private void requireNoTexts() {
    for (String file : KeptTexts.FILES) {
      if (Files.exists(folder.resolve(file))) {
        throw new InputException(
            "%s holds %s, and no %s of earlier texts; name another --out"
                .formatted(folder, file, MANIFEST));
      }
    }
  }

  private void read(JsonObject manifest) {
    manifest.getString("format", Set.of(FORMAT));
    manifest.getInt("version", VERSION, VERSION);
    JsonObject of = manifest.getObject("of");
    key.forEach(
        (field, value) -> {
          Object found = of.fields().get(field);
          if (PromptKey.FIELDS.contains(field) && !of.has(field)) {
            return; // earlier versions did not write it; what was sampled then counts as the same
          }
          if (!String.valueOf(value).equals(String.valueOf(found))) {
            throw new InputException(
                "%s: %s is %s, that of this run is %s: these texts are of something else; name another --out"
                    .formatted(manifest.origin(), field, found, value));
          }
        });
    manifest.getObjects("shards").forEach(s -> shards.add(Shard.of(s)));
  }

  /** What runs that were killed while they wrote have left in {@code place}. */
  private static void deleteTemporaries(Path place, Predicate<String> target) {
    try (Stream<Path> files = Files.list(place)) {
      files.filter(f -> AtomicFiles.isTemporary(f, target)).forEach(AtomicFiles::delete);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + place, e);
    }
  }

  /** Shards that are there. */
  int count() {
    return shards.size();
  }

  /**
   * The texts of a shard.
   *
   * @throws InputException if its bytes are not those that were written
   */
  List<SampledText> read(int number) {
    Shard shard = shards.get(number);
    Path file = folder.resolve(SHARDS).resolve(shard.file());
    String found = Sha256.of(file);
    if (!found.equals(shard.sha256())) {
      throw new InputException(
          "%s: its SHA-256 is %s, %s has %s: the file was changed; restore it, or name another --out"
              .formatted(file, found, MANIFEST, shard.sha256()));
    }
    return JsonLines.read(file).stream().map(SampledText::of).toList();
  }

  /**
   * Writes the next shard, and the manifest that names it.
   *
   * @param kernels the kernel set that computed it
   * @param results what the manifest says in addition
   */
  void add(List<SampledText> texts, String kernels, Map<String, Object> results) {
    String name = "%05d.jsonl".formatted(shards.size());
    StringBuilder lines = new StringBuilder();
    texts.forEach(t -> lines.append(Json.compact(t.json())).append('\n'));
    byte[] bytes = Json.utf8(name, lines.toString());
    AtomicFiles.write(folder.resolve(SHARDS).resolve(name), bytes);
    long tokens = texts.stream().mapToLong(SampledText::tokens).sum();
    shards.add(new Shard(name, Sha256.of(bytes), texts.size(), tokens, kernels));
    writeManifest(results);
  }

  /** Writes the manifest with {@code results} after what it is of. */
  void writeManifest(Map<String, Object> results) {
    Map<String, Object> manifest = Json.object("format", FORMAT, "version", VERSION, "of", key);
    manifest.putAll(results);
    manifest.put("shards", shards.stream().map(Shard::json).toList());
    Json.write(folder.resolve(MANIFEST), manifest);
  }

  /** Writes a text file; returns its hash. */
  String write(String name, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    AtomicFiles.write(folder.resolve(name), bytes);
    return Sha256.of(bytes);
  }

  /** Writes a file of token ids; returns its hash. */
  String write(String name, List<List<Integer>> texts, int vocab) {
    Path file = folder.resolve(name);
    Stream<int[]> documents =
        texts.stream().map(ids -> ids.stream().mapToInt(Integer::intValue).toArray());
    TokenDataset.write(documents, vocab, file);
    return Sha256.of(file);
  }
}
