package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Brings one blob into the cache. The bytes go to a file next to it, which outlives this process; a
 * later try asks for the rest. The blob takes its name when its hash is right.
 */
final class BlobDownload {
  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");
  private static final int MAX_ROUNDS = 3;

  private final HubRepo hub;
  private final String commit;
  private final Blob blob;
  private final Path target;
  private final Path partial;
  private final LongConsumer progress;
  private final PullListener listener;

  /**
   * A download.
   *
   * @param progress is told how many bytes of the blob are here
   */
  BlobDownload(
      HubRepo hub,
      String commit,
      Blob blob,
      Path target,
      Path partial,
      LongConsumer progress,
      PullListener listener) {
    this.hub = hub;
    this.commit = commit;
    this.blob = blob;
    this.target = target;
    this.partial = partial;
    this.progress = progress;
    this.listener = listener;
  }

  /** Downloads it, and gives the number of bytes that came over the network. */
  long run() {
    try {
      long came = fill();
      Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
      return came;
    } catch (IOException e) {
      throw HubCache.cannotWrite(partial, e);
    }
  }

  private long fill() throws IOException {
    try (FileChannel file =
        FileChannel.open(
            partial,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS)) {
      if (file.size() > blob.bytes()) {
        file.truncate(0);
      }
      long came = 0;
      for (int round = 1; ; round++) {
        boolean pieced = file.size() > 0;
        Transfer transfer = complete(file);
        came += transfer.bytes();
        String found = blob.hash().of(file);
        if (found.equals(blob.hash().hex())) {
          file.force(true);
          return came;
        }
        file.truncate(0);
        progress.accept(0);
        if (round == MAX_ROUNDS || !(pieced || transfer.pieced())) {
          throw new InputException(
              "%s: %s of what came is %s, the hub promised %s; it was thrown away, pull again"
                  .formatted(
                      hub.what(blob.path()), blob.hash().algorithm(), found, blob.hash().hex()));
        }
        // The file may have changed between the pieces.
        listener.note(hub.what(blob.path()) + ": its pieces do not fit together; starting anew");
      }
    }
  }

  /**
   * What came over the network.
   *
   * @param pieced whether in several answers
   */
  private record Transfer(long bytes, boolean pieced) {}

  /** Tries until all bytes are in the file, whatever they are. */
  private Transfer complete(FileChannel file) throws IOException {
    Retry retry = hub.retry(hub.what(blob.path()));
    long came = 0;
    long best = file.size();
    boolean pieced = false;
    while (file.size() < blob.bytes()) {
      long before = file.size();
      try {
        came += append(file);
      } catch (TransientException e) {
        came += Math.max(0, file.size() - before);
        pieced |= file.size() > 0;
        if (file.size() > best) { // against the best so far, else starting anew would count
          retry.progressed(file.size() - best);
          best = file.size();
        }
        retry.waitAfter(e);
      }
    }
    return new Transfer(came, pieced);
  }

  /** One request. */
  private long append(FileChannel file) throws IOException {
    try (HubAnswer answer = hub.open(commit, blob.path(), file.size())) {
      if (answer.status() == 416) {
        restart(file, "the server has no bytes after " + file.size());
      } else if (answer.status() == 206) {
        requireRange(file, answer);
      } else if (file.size() > 0) {
        listener.note(hub.what(blob.path()) + ": the server cannot resume; starting anew");
        file.truncate(0);
      }
      long start = file.size();
      requireLength(answer, blob.bytes() - start);
      file.position(start);
      while (true) {
        List<ByteBuffer> buffers = answer.body().next();
        if (buffers.isEmpty()) {
          break;
        }
        for (ByteBuffer bytes : buffers) {
          if (bytes.remaining() > blob.bytes() - file.position()) {
            restart(file, "more than the promised " + blob.bytes() + " bytes came");
          }
          while (bytes.hasRemaining()) {
            file.write(bytes);
          }
        }
        progress.accept(file.position());
      }
      if (file.size() < blob.bytes()) {
        throw new TransientException(
            "the answer ended after %d of %d bytes".formatted(file.size(), blob.bytes()));
      }
      return file.size() - start;
    }
  }

  private void requireRange(FileChannel file, HubAnswer answer) throws IOException {
    String range = answer.header("content-range").orElse("");
    Matcher m = CONTENT_RANGE.matcher(range);
    boolean fits =
        m.matches()
            && Long.parseLong(m.group(1)) == file.size()
            && (m.group(3).equals("*") || Long.parseLong(m.group(3)) == blob.bytes());
    if (!fits) {
      restart(
          file,
          "asked for bytes from %d of %d, the server sends \"%s\""
              .formatted(file.size(), blob.bytes(), Printable.line(range)));
    }
  }

  private void requireLength(HubAnswer answer, long expected) throws TransientException {
    if (answer.length().isPresent() && answer.length().getAsLong() != expected) {
      throw new TransientException(
          "the server is about to send %d bytes, expected are %d"
              .formatted(answer.length().getAsLong(), expected));
    }
  }

  /** Throws away what is there: it does not fit to what the server has. */
  private void restart(FileChannel file, String reason) throws IOException {
    file.truncate(0);
    progress.accept(0);
    throw new TransientException(reason + "; starting anew");
  }
}
