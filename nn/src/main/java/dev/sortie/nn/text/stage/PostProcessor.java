package dev.sortie.nn.text.stage;

import java.util.List;

/**
 * What is put round the ids of one text.
 *
 * @param prefix ids before the text, such as BOS
 * @param suffix ids after the text, such as EOS
 */
public record PostProcessor(List<Integer> prefix, List<Integer> suffix) {

  /** Adds nothing. */
  public static final PostProcessor NONE = new PostProcessor(List.of(), List.of());

  /** Keeps copies. */
  public PostProcessor {
    prefix = List.copyOf(prefix);
    suffix = List.copyOf(suffix);
  }
}
