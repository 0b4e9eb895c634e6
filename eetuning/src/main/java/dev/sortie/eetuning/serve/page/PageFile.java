package dev.sortie.eetuning.serve.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A file of the page.
 *
 * @param type its media type
 * @param tag its entity tag, in quotation marks; another content has another one
 */
record PageFile(String type, byte[] content, String tag) {
  private static final int TAG_BYTES = 12;

  /** A resource of this package. */
  static PageFile of(String name) {
    byte[] content = read(name);
    return new PageFile(type(name), content, tag(content));
  }

  private static byte[] read(String name) {
    try (InputStream in = PageFile.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing: this build is incomplete");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be read", e);
    }
  }

  private static String type(String name) {
    String ending = name.substring(name.lastIndexOf('.') + 1);
    return switch (ending) {
      case "html" -> "text/html; charset=utf-8";
      case "css" -> "text/css; charset=utf-8";
      case "js" -> "text/javascript; charset=utf-8";
      case "svg" -> "image/svg+xml";
      default -> throw new IllegalStateException(name + ": no media type for ." + ending);
    };
  }

  private static String tag(byte[] content) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(content);
      return '"' + HexFormat.of().formatHex(hash, 0, TAG_BYTES) + '"';
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Whether a browser has this content already.
   *
   * @param known the header {@code If-None-Match}
   */
  boolean isAmong(String known) {
    return Arrays.stream(known.split(","))
        .map(String::strip)
        .map(t -> t.startsWith("W/") ? t.substring(2) : t)
        .anyMatch(t -> t.equals(tag) || t.equals("*"));
  }
}
