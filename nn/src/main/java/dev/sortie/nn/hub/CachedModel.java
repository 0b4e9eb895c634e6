package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds a model in the cache that is named as on the hub. */
public final class CachedModel {
  private static final int DEPTH = 4;

  private CachedModel() {}

  /**
   * The folder or GGUF file of {@code ORG/NAME}, {@code ORG/NAME@REVISION} or, with either, {@code
   * /FILE.gguf} after; nothing where the text is not of that form.
   *
   * @throws InputException if the cache does not have it, or has several models of that name
   */
  public static Optional<Path> find(String text, HubCache cache) {
    int name = text.indexOf('/');
    int end = name < 0 ? -1 : text.indexOf('/', name + 1);
    boolean file = end > 0 && text.toLowerCase(Locale.ROOT).endsWith(".gguf");
    // A revision may hold a slash itself, as refs/pr/1 does.
    int at = text.indexOf('@');
    String head = at > 0 ? text.substring(0, at) : file ? text.substring(0, end) : text;
    if (!RepoId.matches(head)) {
      return Optional.empty();
    }
    RepoId repo = RepoId.parse(head);
    String rest = text.substring(head.length());
    if (at > 0) {
      rest = rest.substring(1);
      int slash = file ? rest.indexOf('/') : -1;
      String revision = slash < 0 ? rest : rest.substring(0, slash);
      return Optional.of(
          inSnapshot(repo, revision, slash < 0 ? "" : rest.substring(slash + 1), cache));
    }
    return Optional.of(
        inSnapshot(repo, HubCache.MAIN, rest.isEmpty() ? "" : rest.substring(1), cache));
  }

  private static Path inSnapshot(RepoId repo, String revision, String file, HubCache cache) {
    String pull =
        "run sortie pull "
            + repo
            + (revision.equals(HubCache.MAIN) ? "" : " --revision " + Printable.line(revision));
    Path snapshot =
        cache
            .snapshot(repo, revision)
            .orElseThrow(
                () ->
                    new InputException(
                        "%s: no such file or folder, and the cache %s does not have it; %s"
                            .formatted(repo, cache.root(), pull)));
    if (!file.isEmpty()) {
      Path gguf = RemotePath.in(snapshot, file);
      if (!Files.isRegularFile(gguf)) {
        throw new InputException(
            "%s: %s is not in the cache; %s --gguf %s"
                .formatted(repo, Printable.value(file), pull, Printable.line(file)));
      }
      return gguf;
    }
    if (Files.isRegularFile(snapshot.resolve("config.json"))) {
      return snapshot;
    }
    return only(repo, snapshot, pull);
  }

  private static Path only(RepoId repo, Path snapshot, String pull) {
    List<Path> ggufs;
    try (Stream<Path> files = Files.walk(snapshot, DEPTH)) {
      ggufs =
          files
              .filter(f -> f.toString().toLowerCase(Locale.ROOT).endsWith(".gguf"))
              .filter(Files::isRegularFile)
              .sorted()
              .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new InputException(
          snapshot + ": cannot be read: " + Printable.line(String.valueOf(e.getMessage())), e);
    }
    return switch (ggufs.size()) {
      case 0 ->
          throw new InputException(
              "%s: %s holds neither config.json nor a .gguf file; %s"
                  .formatted(repo, snapshot, pull));
      case 1 -> ggufs.getFirst();
      default ->
          throw new InputException(
              "%s: the cache has several GGUF files of it: %s; name one as %s/FILE.gguf"
                  .formatted(repo, ggufs.stream().map(f -> snapshot.relativize(f)).toList(), repo));
    };
  }
}
