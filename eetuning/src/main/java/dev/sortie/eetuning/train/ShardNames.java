package dev.sortie.eetuning.train;

import java.util.regex.Pattern;

/** Names of a checkpoint's tensor files. */
final class ShardNames {
  private static final Pattern NAME = Pattern.compile("state(-\\d{5}-of-\\d{5})?\\.safetensors");

  private ShardNames() {}

  /** Whether {@code name} is such a name; a checkpoint must not point outside of its folder. */
  static boolean isOne(String name) {
    return NAME.matcher(name).matches();
  }

  /** Of shard {@code i} of {@code count}, counted from 0. */
  static String of(int i, int count) {
    return count == 1
        ? "state.safetensors"
        : "state-%05d-of-%05d.safetensors".formatted(i + 1, count);
  }
}
