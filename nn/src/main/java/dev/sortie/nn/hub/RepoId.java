package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.util.regex.Pattern;

/**
 * Name of a model repository on the Hugging Face hub.
 *
 * @param owner user or organisation
 * @param name the repository
 */
public record RepoId(String owner, String name) {
  private static final int LONGEST = 96;
  private static final Pattern PART = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*");

  /**
   * A name as the hub allows it.
   *
   * @throws InputException if it is none
   */
  public RepoId {
    if (!isPart(owner) || !isPart(name)) {
      throw new InputException(
          "%s is no repository of the hub; expected ORG/NAME of letters, digits, '-', '_' and '.', each at most %d long, without '--' and '..'"
              .formatted(Printable.value(owner + "/" + name), LONGEST));
    }
  }

  /**
   * Reads {@code ORG/NAME}.
   *
   * @throws InputException if the text is something else
   */
  public static RepoId parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      throw new InputException(
          Printable.value(text)
              + " is no repository of the hub; expected ORG/NAME, with one slash");
    }
    return new RepoId(text.substring(0, slash), text.substring(slash + 1));
  }

  /** Whether {@link #parse} takes the text. */
  static boolean matches(String text) {
    int slash = text.indexOf('/');
    return slash > 0 && isPart(text.substring(0, slash)) && isPart(text.substring(slash + 1));
  }

  /** Its folder in the cache: the double hyphen, which no name may have, stands for the slash. */
  String folder() {
    return "models--" + owner + "--" + name;
  }

  @Override
  public String toString() {
    return owner + "/" + name;
  }

  private static boolean isPart(String part) {
    return part.length() <= LONGEST
        && PART.matcher(part).matches()
        && !part.contains("--")
        && !part.contains("..")
        && !part.endsWith(".git");
  }
}
