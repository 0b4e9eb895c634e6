package dev.sortie.nn.hub;

import dev.sortie.nn.format.Show;

/** Numbers of bytes for people, few ones too. */
final class Bytes {
  private Bytes() {}

  static String show(long bytes) {
    return bytes < 1024 ? bytes + " B" : Show.size(bytes);
  }
}
