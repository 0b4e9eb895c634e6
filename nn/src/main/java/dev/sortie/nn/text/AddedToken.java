package dev.sortie.nn.text;

/**
 * A token that is found in the text before the model splits it.
 *
 * @param id its id
 * @param content its spelling
 * @param special whether it stands for no text: left out by decoding, and parsed only on request
 * @param singleWord whether it matches only between characters that are no part of a word
 * @param lstrip whether it swallows the white space before it
 * @param rstrip whether it swallows the white space after it
 * @param normalized whether it is searched in the normalised text instead of the raw one
 */
public record AddedToken(
    int id,
    String content,
    boolean special,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized) {

  /** A special token that matches exactly as it is spelled. */
  public static AddedToken special(int id, String content) {
    return new AddedToken(id, content, true, false, false, false, false);
  }
}
