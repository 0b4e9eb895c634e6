package dev.sortie.eetuning.exit;

import dev.sortie.nn.InputException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What stands between a hidden state and an exit's logits (EE-Tuning, arXiv 2402.00518, section
 * 2.2). {@code x} is the output of backbone layer {@code l}, {@code a} the residual after its
 * attention.
 */
public enum ExitArchitecture {
  /** {@code W x}. */
  EMBEDDING,
  /** {@code W norm(x)}. */
  NORM,
  /**
   * {@code W norm(z)}, {@code z = a + mlp(n(a))}: an MLP beside the layer's own, behind the layer's
   * frozen post-attention norm {@code n}. In families that have a norm behind the MLP, frozen as
   * well, {@code z = a + m(mlp(n(a)))}; in those that have none before it, {@code z = a +
   * m(mlp(a))}. Where attention and MLP are parallel, {@code a} is the layer's output, so the
   * exit's MLP stands behind the layer's own and not in its place.
   */
  MLP,
  /** {@code W norm(layer(x))}: a whole transformer layer, with its own KV cache. */
  LAYER;

  /** The word used in files and options. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The architecture that {@code word} names. */
  public static ExitArchitecture of(String word) {
    for (ExitArchitecture a : values()) {
      if (a.word().equals(word)) {
        return a;
      }
    }
    throw new InputException("exit architecture '" + word + "' is unknown; take one of " + words());
  }

  /** All words. */
  public static List<String> words() {
    return Arrays.stream(values()).map(ExitArchitecture::word).toList();
  }
}
