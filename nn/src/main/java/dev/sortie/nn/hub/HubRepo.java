package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** One repository of the hub: its listing, its files. */
final class HubRepo {
  private static final long LARGEST = 1L << 50;

  private final HubClient client;
  private final HubSettings settings;
  private final RepoId repo;
  private final HubRefusal refusal;
  private final PullListener listener;

  HubRepo(
      HubClient client, HubSettings settings, RepoId repo, String revision, PullListener listener) {
    this.client = client;
    this.settings = settings;
    this.repo = repo;
    this.refusal = new HubRefusal(settings, repo, revision);
    this.listener = listener;
  }

  /** What a revision stands at and has. */
  RepoListing list(String revision) {
    var uri =
        client.uri(
            "/api/models/%s/revision/%s?blobs=true".formatted(repo, RemotePath.escape(revision)));
    return retry(repo.toString())
        .run(
            () -> {
              try (HubAnswer answer = client.send("GET", uri, Map.of())) {
                refusal.check(answer, repo.toString());
                String json =
                    new String(answer.body().all(RepoListing.MAX_BYTES), StandardCharsets.UTF_8);
                return RepoListing.parse(repo, HubClient.plain(uri), json);
              }
            });
  }

  /**
   * Hash and size of a file.
   *
   * @throws InputException if the hub does not name them, or contradicts the listing
   */
  Blob describe(RepoListing listing, RemoteFile file) {
    String what = what(file.path());
    return retry(what)
        .run(
            () -> {
              try (HubAnswer answer =
                  client.send(
                      "HEAD", client.uri(resolve(listing.commit(), file.path())), Map.of())) {
                if (!answer.isRedirect()) {
                  refusal.check(answer, what);
                }
                return blob(listing, file, answer);
              }
            });
  }

  /** The file's bytes from {@code offset} on, if the server can; else from the start. */
  HubAnswer open(String commit, String path, long offset) throws TransientException {
    HubAnswer answer =
        client.send(
            "GET",
            client.uri(resolve(commit, path)),
            offset > 0 ? Map.of("Range", "bytes=" + offset + "-") : Map.of());
    if (answer.status() != 416) {
      refusal.check(answer, what(path));
    }
    return answer;
  }

  Retry retry(String what) {
    return new Retry(what, settings.retry(), listener);
  }

  /** How messages name a file. */
  String what(String path) {
    return repo + "/" + Printable.line(path);
  }

  private String resolve(String commit, String path) {
    return "/%s/resolve/%s/%s".formatted(repo, commit, RemotePath.url(path));
  }

  private Blob blob(RepoListing listing, RemoteFile file, HubAnswer answer) {
    String what = what(file.path());
    Optional<String> commit = answer.firstHeader("x-repo-commit");
    if (commit.isPresent() && !commit.get().equals(listing.commit())) {
      throw new InputException(
          "%s: the hub answers for commit %s, asked was %s; check HF_ENDPOINT"
              .formatted(what, Printable.line(commit.get()), listing.commit()));
    }
    Optional<String> etag = answer.firstHeader("x-linked-etag").or(() -> answer.header("etag"));
    Blob.Hash hash =
        etag.flatMap(Blob.Hash::ofEtag)
            .orElseThrow(
                () ->
                    new InputException(
                        "%s: the hub names no hash to check it by (ETag %s); check HF_ENDPOINT"
                            .formatted(what, Printable.value(etag.orElse(null)))));
    if (file.hash().isPresent() && !file.hash().get().equals(hash)) {
      throw new InputException(
          "%s: its ETag is %s, the listing of the repository says %s; pull again later"
              .formatted(what, hash.hex(), file.hash().get().hex()));
    }
    OptionalLong size = HubAnswer.number(answer.firstHeader("x-linked-size"));
    if (size.isEmpty()) {
      size = file.bytes();
    }
    if (size.isEmpty() && !answer.isRedirect()) {
      size = answer.length();
    }
    if (size.isEmpty() || size.getAsLong() > LARGEST) {
      throw new InputException(
          "%s: the hub does not tell its size, or one beyond %d; check HF_ENDPOINT"
              .formatted(what, LARGEST));
    }
    if (file.bytes().isPresent() && file.bytes().getAsLong() != size.getAsLong()) {
      throw new InputException(
          "%s: has %d bytes, the listing of the repository says %d; pull again later"
              .formatted(what, size.getAsLong(), file.bytes().getAsLong()));
    }
    return new Blob(file.path(), hash, size.getAsLong());
  }
}
