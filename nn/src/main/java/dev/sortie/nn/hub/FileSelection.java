package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** Picks the files of a listing. */
final class FileSelection {
  static final String INDEX = "model.safetensors.index.json";
  private static final String SINGLE = "model.safetensors";
  private static final int MOST_SHOWN = 40;
  private static final JsonLimits INDEX_LIMITS = new JsonLimits(100_000_000, 8, 1 << 16);

  /** Small files of the root that a model is run with. */
  private static final Set<String> SMALL =
      Set.of(
          "config.json",
          "generation_config.json",
          "tokenizer.json",
          "tokenizer.model",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.json",
          "merges.txt",
          "chat_template.jinja",
          "chat_template.json");

  private FileSelection() {}

  /**
   * The files that a choice means. Of sharded weights the index is among them; the shards that it
   * names are {@link #shards}.
   *
   * @throws InputException if there are none, or it is not clear which
   */
  static List<RemoteFile> choose(RepoListing listing, FileChoice choice) {
    return switch (choice) {
      case FileChoice.Runnable all -> runnable(listing);
      case FileChoice.Matching(List<String> patterns) -> matching(listing, patterns);
      case FileChoice.GgufFile(String name) -> List.of(gguf(listing, name));
    };
  }

  /**
   * The shards that an index names.
   *
   * @param index the downloaded index
   * @throws InputException if the repository does not have one of them
   */
  static List<RemoteFile> shards(RepoListing listing, Path index) {
    JsonObject map = Json.read(index, INDEX_LIMITS).getObject("weight_map");
    Set<String> names = new LinkedHashSet<>();
    for (String tensor : map.fields().keySet()) {
      names.add(map.getString(tensor));
    }
    List<RemoteFile> shards = new ArrayList<>();
    for (String name : names) {
      RemoteFile file = listing.files().get(name);
      if (file == null) {
        throw new InputException(
            "%s: %s names %s, which the repository does not have; look for another revision"
                .formatted(listing.repo(), INDEX, Printable.value(name)));
      }
      shards.add(file);
    }
    return shards;
  }

  private static List<RemoteFile> runnable(RepoListing listing) {
    List<RemoteFile> files = new ArrayList<>();
    listing.all().stream().filter(f -> SMALL.contains(f.path())).forEach(files::add);
    RemoteFile index = listing.files().get(INDEX);
    RemoteFile single = listing.files().get(SINGLE);
    if (index == null && single == null) {
      throw noWeights(listing);
    }
    files.add(index == null ? single : index);
    return files;
  }

  private static InputException noWeights(RepoListing listing) {
    List<RemoteFile> ggufs = ggufs(listing);
    return new InputException(
        ggufs.isEmpty()
            ? "%s: has neither %s nor %s nor a .gguf file, which Sortie reads; look for a repository that has, or name files with --include"
                .formatted(listing.repo(), SINGLE, INDEX)
            : "%s: has no %s; choose a GGUF file with --gguf: %s"
                .formatted(listing.repo(), SINGLE, names(ggufs)));
  }

  private static List<RemoteFile> matching(RepoListing listing, List<String> patterns) {
    List<RemoteFile> files =
        listing.all().stream()
            .filter(f -> patterns.stream().anyMatch(p -> Wildcards.matches(p, f.path())))
            .toList();
    for (String pattern : patterns) {
      if (files.stream().noneMatch(f -> Wildcards.matches(pattern, f.path()))) {
        throw new InputException(
            "%s: no file matches --include %s; there are: %s"
                .formatted(listing.repo(), Printable.value(pattern), names(listing.all())));
      }
    }
    return files;
  }

  private static RemoteFile gguf(RepoListing listing, String name) {
    List<RemoteFile> ggufs = ggufs(listing);
    String wanted = name.toLowerCase(Locale.ROOT);
    List<RemoteFile> exact = ggufs.stream().filter(f -> f.path().equals(name)).toList();
    List<RemoteFile> like =
        ggufs.stream().filter(f -> f.path().toLowerCase(Locale.ROOT).contains(wanted)).toList();
    List<RemoteFile> found = exact.isEmpty() ? like : exact;
    if (found.size() == 1) {
      return found.getFirst();
    }
    throw new InputException(
        ggufs.isEmpty()
            ? "%s: --gguf %s: the repository has no .gguf file; leave --gguf out for its safetensors"
                .formatted(listing.repo(), Printable.value(name))
            : "%s: --gguf %s means %s; choose one of: %s"
                .formatted(
                    listing.repo(),
                    Printable.value(name),
                    found.isEmpty() ? "none of its files" : found.size() + " files",
                    names(found.isEmpty() ? ggufs : found)));
  }

  private static List<RemoteFile> ggufs(RepoListing listing) {
    return listing.all().stream()
        .filter(f -> f.path().toLowerCase(Locale.ROOT).endsWith(".gguf"))
        .toList();
  }

  private static String names(List<RemoteFile> files) {
    String shown =
        files.stream()
            .limit(MOST_SHOWN)
            .map(
                f ->
                    f.bytes().isPresent()
                        ? Printable.line(f.path())
                            + " ("
                            + Printable.bytes(f.bytes().getAsLong())
                            + ")"
                        : Printable.line(f.path()))
            .collect(Collectors.joining(", "));
    return files.size() > MOST_SHOWN
        ? shown + " and " + (files.size() - MOST_SHOWN) + " more"
        : shown;
  }
}
