package dev.sortie.eetuning.train.checkpoint;

import java.util.regex.Pattern;

/** Names of a checkpoint's files and of the tensors in them. */
public final class CheckpointNames {
  private static final Pattern FILE = Pattern.compile("state(-\\d{5}-of-\\d{5})?\\.safetensors");

  private CheckpointNames() {}

  /**
   * Whether {@code name} is that of a tensor file; a checkpoint must not point outside of its
   * folder.
   */
  static boolean isShard(String name) {
    return FILE.matcher(name).matches();
  }

  /** The tensor file of shard {@code i} of {@code count}, counted from 0. */
  public static String ofShard(int i, int count) {
    return count == 1
        ? "state.safetensors"
        : "state-%05d-of-%05d.safetensors".formatted(i + 1, count);
  }

  /** An exit's parameter. */
  public static String ofExit(int depth, String parameter) {
    return "exits." + depth + "." + parameter;
  }
}
