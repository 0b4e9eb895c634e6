package dev.sortie.nn.hub;

import dev.sortie.nn.Printable;

/** Numbers of bytes for people, few ones too. */
final class Bytes {
  private Bytes() {}

  static String show(long bytes) {
    return bytes < 1024 ? bytes + " B" : Printable.size(bytes);
  }
}
