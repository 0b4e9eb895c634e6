package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Names that a server or a user gives and that become paths on this disk and in URLs. */
final class RemotePath {
  private static final int LONGEST = 1024;
  private static final int LONGEST_PART = 200;

  private RemotePath() {}

  /**
   * Fails unless {@code name} is a relative path with {@code /} that stays where it is put, on any
   * system.
   *
   * @param what of it for the message, such as "file name"
   */
  static String require(String what, String name) {
    if (!isPlain(name)) {
      throw new InputException(
          "%s %s is refused: a relative path of plain parts is allowed, without '..', '\\', ':' and control characters"
              .formatted(what, Printable.value(name)));
    }
    return name;
  }

  /** Where {@code name} lies in {@code folder}. */
  static Path in(Path folder, String name) {
    Path path = folder;
    try {
      for (String part : require("file name", name).split("/", -1)) {
        path = path.resolve(part);
      }
      return path;
    } catch (InvalidPathException e) {
      throw new InputException(
          "file name %s cannot be written here; set LC_ALL to a UTF-8 locale"
              .formatted(Printable.value(name)),
          e);
    }
  }

  /** The name with each part escaped for a URL; the slashes stay. */
  static String url(String name) {
    return Arrays.stream(name.split("/", -1))
        .map(RemotePath::escape)
        .collect(Collectors.joining("/"));
  }

  /** The text as one part of a URL's path. */
  static String escape(String part) {
    return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
  }

  private static boolean isPlain(String name) {
    return !name.isEmpty()
        && name.length() <= LONGEST
        && name.codePoints().allMatch(RemotePath::isPlain)
        && Arrays.stream(name.split("/", -1)).allMatch(RemotePath::isPart);
  }

  /** A part that ends in a dot or a space would lose it on Windows. */
  private static boolean isPart(String part) {
    return !part.isEmpty()
        && part.length() <= LONGEST_PART
        && !part.equals(".")
        && !part.equals("..")
        && !part.endsWith(".")
        && part.equals(part.strip());
  }

  private static boolean isPlain(int c) {
    int type = Character.getType(c);
    return "\\:*?\"<>|".indexOf(c) < 0
        && type != Character.CONTROL
        && type != Character.FORMAT
        && type != Character.SURROGATE
        && type != Character.LINE_SEPARATOR
        && type != Character.PARAGRAPH_SEPARATOR;
  }
}
