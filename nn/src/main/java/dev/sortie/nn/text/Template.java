package dev.sortie.nn.text;

import java.util.List;

/**
 * What is put round the ids of one text.
 *
 * @param prefix ids before the text, such as BOS
 * @param suffix ids after the text, such as EOS
 */
public record Template(List<Integer> prefix, List<Integer> suffix) {

  /** Adds nothing. */
  public static final Template NONE = new Template(List.of(), List.of());

  /** Keeps copies. */
  public Template {
    prefix = List.copyOf(prefix);
    suffix = List.copyOf(suffix);
  }
}
