package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.file.AtomicFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The cache of the hub's files, in the layout that the hub's Python library uses too:
 *
 * <pre>
 * models--ORG--NAME/
 *   blobs/ETAG                  contents, named by their hash
 *   refs/main                   the commit that a branch or tag stood at
 *   snapshots/COMMIT/FILE       a link to ../../blobs/ETAG
 * </pre>
 *
 * @param root the folder that holds the repositories
 */
public record HubCache(Path root) {
  /** What a branch is called that nobody named. */
  public static final String MAIN = "main";

  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
  private static final int LONGEST_REF = 64;

  /**
   * The snapshot of a revision, if it is here.
   *
   * @param revision a branch, a tag or a commit
   * @throws InputException if the revision cannot be one, or the cache is damaged
   */
  public Optional<Path> snapshot(RepoId repo, String revision) {
    Optional<String> commit = isCommit(revision) ? Optional.of(revision) : ref(repo, revision);
    return commit.map(c -> snapshotFolder(repo, c)).filter(Files::isDirectory);
  }

  static boolean isCommit(String revision) {
    return COMMIT.matcher(revision).matches();
  }

  Path blob(RepoId repo, Blob.Hash hash) {
    return folder(repo).resolve("blobs").resolve(hash.hex());
  }

  /** What has come so far; named unlike the other tools' files, for they may write at any time. */
  Path incomplete(RepoId repo, Blob.Hash hash) {
    return folder(repo).resolve("blobs").resolve(hash.hex() + ".sortie.incomplete");
  }

  Path snapshotFolder(RepoId repo, String commit) {
    return folder(repo).resolve("snapshots").resolve(commit);
  }

  Path lock(RepoId repo) {
    return root.resolve(".locks").resolve(repo.folder()).resolve("sortie.lock");
  }

  /** Remembers where a branch or tag stood. */
  void writeRef(RepoId repo, String revision, String commit) {
    if (isCommit(revision)) {
      return;
    }
    Path ref = RemotePath.in(folder(repo).resolve("refs"), revision);
    createFolders(ref.getParent());
    if (!ref(repo, revision).equals(Optional.of(commit))) {
      AtomicFiles.write(ref, commit.getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** Makes {@code name} of a snapshot lead to the blob; where there are no links, a copy. */
  void link(RepoId repo, String commit, String name, Blob.Hash hash) {
    Path blob = blob(repo, hash);
    Path link = RemotePath.in(snapshotFolder(repo, commit), name);
    createFolders(link.getParent());
    Path target = link.getParent().relativize(blob);
    Path fresh = AtomicFiles.temporary(link);
    try {
      if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(target)) {
        return;
      }
      try {
        Files.createSymbolicLink(fresh, target);
      } catch (UnsupportedOperationException | FileSystemException e) {
        Files.copy(blob, fresh);
      }
      Files.move(fresh, link, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw cannotWrite(link, e);
    }
  }

  static void createFolders(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw cannotWrite(folder, e);
    }
  }

  static InputException cannotWrite(Path path, IOException e) {
    return new InputException(
        "%s: cannot be written: %s; check free space and permissions, or set HF_HUB_CACHE to another folder"
            .formatted(path, Printable.line(e.getClass().getSimpleName() + " " + e.getMessage())),
        e);
  }

  private Path folder(RepoId repo) {
    return root.resolve(repo.folder());
  }

  private Optional<String> ref(RepoId repo, String revision) {
    RemotePath.require("revision", revision);
    Path ref = RemotePath.in(folder(repo).resolve("refs"), revision);
    if (!Files.isRegularFile(ref, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    try {
      String commit = Files.size(ref) > LONGEST_REF ? "" : Files.readString(ref).strip();
      if (!isCommit(commit)) {
        throw new InputException(
            ref + ": holds no commit of 40 hex digits; remove it and pull " + repo + " again");
      }
      return Optional.of(commit);
    } catch (IOException e) {
      throw new InputException(
          ref + ": cannot be read: " + Printable.line(String.valueOf(e.getMessage())), e);
    }
  }
}
