package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A repository at one commit.
 *
 * @param repo its name
 * @param commit 40 hex digits
 * @param files by their paths
 */
record RepoListing(RepoId repo, String commit, Map<String, RemoteFile> files) {
  /** Model cards and configurations come along in the answer, so it may be long and deep. */
  static final int MAX_BYTES = 64 << 20;

  private static final JsonLimits LIMITS = new JsonLimits(MAX_BYTES, 64, 16 << 20);
  private static final int MAX_FILES = 100_000;

  /**
   * Reads the answer to {@code /api/models/ORG/NAME/revision/REV?blobs=true}.
   *
   * @throws InputException if it is none
   */
  static RepoListing parse(RepoId repo, String origin, String json) {
    JsonObject root = Json.parse(origin, json, LIMITS);
    String commit = root.getString("sha");
    if (!HubCache.isCommit(commit)) {
      throw root.error("sha", "a commit of 40 hex digits");
    }
    Map<String, RemoteFile> files = new LinkedHashMap<>();
    for (JsonObject sibling : root.getObjects("siblings")) {
      String path = sibling.getString("rfilename");
      if (files.put(path, file(path, sibling)) != null) {
        throw sibling.error("rfilename", "each file once");
      }
      if (files.size() > MAX_FILES) {
        throw new InputException(
            "%s: lists more than %d files, which is the limit".formatted(origin, MAX_FILES));
      }
    }
    return new RepoListing(repo, commit, files);
  }

  List<RemoteFile> all() {
    return new ArrayList<>(files.values());
  }

  private static RemoteFile file(String path, JsonObject sibling) {
    Optional<JsonObject> large = sibling.optional("lfs", sibling::getObject);
    Optional<Blob.Hash> hash =
        large
            .flatMap(l -> l.optional("sha256", l::getString))
            .or(
                () ->
                    large.isEmpty()
                        ? sibling.optional("blobId", sibling::getString)
                        : Optional.empty())
            .map(
                text ->
                    Blob.Hash.ofEtag(text)
                        .orElseThrow(
                            () ->
                                sibling.error(
                                    "rfilename", "a file with a hash of 40 or 64 hex digits")));
    OptionalLong bytes =
        sibling.has("size")
            ? OptionalLong.of(sibling.getLong("size", 0, 1L << 50))
            : OptionalLong.empty();
    return new RemoteFile(path, bytes, hash);
  }
}
