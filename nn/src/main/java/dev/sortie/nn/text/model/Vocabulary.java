package dev.sortie.nn.text.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The tokens that a model can spell text with, by id. Ids may have holes. */
public final class Vocabulary {
  /** Largest number of ids; a hostile file is refused before it takes memory. */
  public static final int MAX_SIZE = 1 << 22;

  private final List<String> tokens;

  /** Stays fast where a file's tokens all have one hash code, as an open table does not. */
  private final Map<String, Integer> ids;

  /**
   * A vocabulary.
   *
   * @param source the file, for messages
   * @param tokens the token of each id; null where no token has the id
   * @throws InputException if two ids have the same token, or there are too many
   */
  public Vocabulary(String source, List<String> tokens) {
    if (tokens.size() > MAX_SIZE) {
      throw new InputException(
          source + ": model.vocab has " + tokens.size() + " ids, more than the limit " + MAX_SIZE);
    }
    this.tokens = Collections.unmodifiableList(new ArrayList<>(tokens));
    ids = HashMap.newHashMap(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      String token = tokens.get(id);
      if (token == null) {
        continue;
      }
      Integer other = ids.put(token, id);
      if (other != null) {
        throw new InputException(
            "%s: model.vocab has %s as id %d and as id %d"
                .formatted(source, Printable.quoted(token), other, id));
      }
    }
  }

  /** The highest id plus one. */
  public int size() {
    return tokens.size();
  }

  /** The token of {@code id}, or null if no token has it. */
  public String token(int id) {
    return id >= 0 && id < tokens.size() ? tokens.get(id) : null;
  }

  /** The id of {@code token}, or -1. */
  public int id(String token) {
    return ids.getOrDefault(token, -1);
  }

  /** The token of each id, null in holes. */
  public List<String> tokens() {
    return tokens;
  }
}
