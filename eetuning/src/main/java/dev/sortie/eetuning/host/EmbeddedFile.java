package dev.sortie.eetuning.host;

import dev.sortie.nn.file.InputFiles;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.CRC32;

/**
 * A file that travels inside the jar, with the size and the checksum that the jar states: it is
 * unpacked only where its bytes are asked for. Tests run from a folder of classes and no jar; there
 * it is read.
 *
 * @param url where it is
 * @param size in bytes
 * @param crc its CRC-32
 */
record EmbeddedFile(URL url, long size, long crc) {

  /**
   * The file that a class finds under a name.
   *
   * @throws IllegalStateException if there is none
   */
  static EmbeddedFile of(Class<?> finder, String name) {
    URL url = finder.getResource(name);
    if (url == null) {
      throw new IllegalStateException(
          "the jar lacks %s: this build of Sortie is incomplete".formatted(name));
    }
    try {
      if (connect(url) instanceof JarURLConnection connection) {
        try (JarFile _ = connection.getJarFile()) {
          JarEntry entry = connection.getJarEntry();
          return new EmbeddedFile(url, entry.getSize(), entry.getCrc());
        }
      }
    } catch (IOException e) {
      throw unreadable(url, e);
    }
    byte[] bytes = read(url);
    return new EmbeddedFile(url, bytes.length, crc(ByteBuffer.wrap(bytes)));
  }

  /** A connection of its own: one that is shared would keep the jar open. */
  private static URLConnection connect(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    connection.setUseCaches(false);
    return connection;
  }

  private static byte[] read(URL url) {
    try (InputStream in = connect(url).getInputStream()) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw unreadable(url, e);
    }
  }

  /** Size and CRC-32, as text. */
  String checksum() {
    return size + " " + crc + "\n";
  }

  /** Its contents. */
  byte[] bytes() {
    return read(url);
  }

  /** Whether a file on disk is there and has these contents. */
  boolean isIn(Path file) {
    try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ);
        Arena arena = Arena.ofConfined()) {
      return in.size() == size
          && crc(in.map(FileChannel.MapMode.READ_ONLY, 0, size, arena).asByteBuffer()) == crc;
    } catch (ClosedByInterruptException e) { // which says nothing about the file
      throw InputFiles.cannotRead(file, e);
    } catch (IOException e) {
      return false; // not there, or not to be read
    }
  }

  private static long crc(ByteBuffer bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    return crc.getValue();
  }

  private static UncheckedIOException unreadable(URL url, IOException e) {
    return new UncheckedIOException("cannot read " + url, e);
  }
}
