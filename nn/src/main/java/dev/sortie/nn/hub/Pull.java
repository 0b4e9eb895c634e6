package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Downloads a model from the Hugging Face hub into its cache. Every file is checked against the
 * hash by which the hub knows it, also one that is in the cache already; a pull that was
 * interrupted resumes where it stopped; a snapshot appears when all of its files are there.
 */
public final class Pull {
  /** Files whose checking takes so long that it is said. */
  private static final long LARGE = 256 << 20;

  private final HubSettings settings;
  private final PullListener listener;

  /** A pull with these settings. */
  public Pull(HubSettings settings, PullListener listener) {
    this.settings = settings;
    this.listener = listener;
  }

  /**
   * What is here now.
   *
   * @param snapshot the folder to give as a model
   * @param commit what the revision stood at
   * @param files bytes of each file of the choice
   * @param downloaded bytes that came over the network
   */
  public record Result(Path snapshot, String commit, Map<String, Long> files, long downloaded) {}

  /**
   * Brings the chosen files here.
   *
   * @param revision a branch, a tag or a commit
   * @throws InputException if that cannot be, with what to do
   */
  public Result run(RepoId repo, String revision, FileChoice choice) {
    RemotePath.require("revision", revision);
    if (settings.offline()) {
      throw new InputException(
          "HF_HUB_OFFLINE is set, so that nothing is pulled; unset it"
              + settings
                  .cache()
                  .snapshot(repo, revision)
                  .map(s -> ", or use what is in " + s)
                  .orElse(""));
    }
    try (HubClient client = new HubClient(settings);
        CacheLock _ = CacheLock.take(settings.cache().lock(repo), repo, listener)) {
      HubRepo hub = new HubRepo(client, settings, repo, revision, listener);
      RepoListing listing = hub.list(revision);
      return new Session(hub, listing).run(revision, choice);
    }
  }

  /** One pull with the lock held. */
  private final class Session {
    private final HubRepo hub;
    private final RepoListing listing;
    private final RepoId repo;
    private final HubCache cache = settings.cache();
    private final List<Blob> blobs = new ArrayList<>();
    private final Map<Blob.Hash, Boolean> whole = new HashMap<>();
    private long present;
    private long downloaded;

    Session(HubRepo hub, RepoListing listing) {
      this.hub = hub;
      this.listing = listing;
      this.repo = listing.repo();
    }

    Result run(String revision, FileChoice choice) {
      List<RemoteFile> files = FileSelection.choose(listing, choice);
      describe(files);
      if (choice instanceof FileChoice.Runnable) {
        addShards();
      }
      requireSpace();
      long total = blobs.stream().mapToLong(Blob::bytes).sum();
      present = blobs.stream().filter(this::isHere).mapToLong(Blob::bytes).sum();
      listener.planned(blobs.stream().map(Blob::path).toList(), total, present);
      blobs.forEach(this::fetch);
      for (Blob blob : blobs) {
        cache.link(repo, listing.commit(), blob.path(), blob.hash());
      }
      cache.writeRef(repo, revision, listing.commit());
      Map<String, Long> sizes = new LinkedHashMap<>();
      blobs.forEach(b -> sizes.put(b.path(), b.bytes()));
      return new Result(
          cache.snapshotFolder(repo, listing.commit()), listing.commit(), sizes, downloaded);
    }

    private void describe(List<RemoteFile> files) {
      for (RemoteFile file : files) {
        RemotePath.require(repo + ": file name", file.path());
      }
      for (RemoteFile file : files) {
        blobs.add(hub.describe(listing, file));
      }
    }

    /** Only the index says which of the files in the repository are the shards. */
    private void addShards() {
      Blob index =
          blobs.stream().filter(b -> b.path().equals(FileSelection.INDEX)).findFirst().orElse(null);
      if (index != null) {
        fetch(index);
        describe(FileSelection.shards(listing, cache.blob(repo, index.hash())));
      }
    }

    private void fetch(Blob blob) {
      if (isHere(blob)) {
        return;
      }
      Path target = cache.blob(repo, blob.hash());
      HubCache.createFolders(target.getParent());
      downloaded +=
          new BlobDownload(
                  hub,
                  listing.commit(),
                  blob,
                  target,
                  cache.incomplete(repo, blob.hash()),
                  here -> listener.progress(blob.path(), here, blob.bytes(), present + here),
                  listener)
              .run();
      present += blob.bytes();
      whole.put(blob.hash(), true);
    }

    /** Whether the cache has it with the right bytes: disks and other tools damage files. */
    private boolean isHere(Blob blob) {
      Path file = cache.blob(repo, blob.hash());
      return size(file) == blob.bytes()
          && whole.computeIfAbsent(blob.hash(), _ -> isWhole(blob, file));
    }

    private boolean isWhole(Blob blob, Path file) {
      if (blob.bytes() >= LARGE) {
        listener.note(
            "checking %s, %s that are here".formatted(blob.path(), Printable.bytes(blob.bytes())));
      }
      try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
        String found = blob.hash().of(in);
        if (found.equals(blob.hash().hex())) {
          return true;
        }
        listener.note(
            "%s: what the cache has was damaged, its %s is %s; pulling it again"
                .formatted(blob.path(), blob.hash().algorithm(), found));
      } catch (IOException e) {
        listener.note("%s: cannot be read; pulling it again".formatted(file));
      }
      return false;
    }

    private void requireSpace() {
      long needed =
          blobs.stream()
              .filter(b -> !isHere(b))
              .mapToLong(
                  b -> b.bytes() - Math.clamp(size(cache.incomplete(repo, b.hash())), 0, b.bytes()))
              .sum();
      Path folder = cache.root().toAbsolutePath();
      while (folder != null && !Files.isDirectory(folder)) {
        folder = folder.getParent();
      }
      try {
        long free = folder == null ? Long.MAX_VALUE : Files.getFileStore(folder).getUsableSpace();
        if (needed > free) {
          throw new InputException(
              "%s: %s are to come, the disk of %s has %s free; make room or set HF_HUB_CACHE to another folder"
                  .formatted(repo, Printable.bytes(needed), cache.root(), Printable.bytes(free)));
        }
      } catch (IOException e) {
        listener.note(
            "free space of "
                + folder
                + " is unknown: "
                + Printable.line(String.valueOf(e.getMessage())));
      }
    }
  }

  /** Of a regular file; -1 where there is none. */
  private static long size(Path file) {
    try {
      return Files.isRegularFile(file) ? Files.size(file) : -1;
    } catch (IOException e) {
      return -1;
    }
  }
}
