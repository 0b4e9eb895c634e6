package dev.sortie.nn.text.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.format.Utf8Strings;
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
  private final TokenIndex ids;

  /**
   * A vocabulary.
   *
   * @param source the file, for messages
   * @param tokens the token of each id; null where no token has the id
   * @throws InputException if two ids have the same token, or there are too many
   */
  public Vocabulary(String source, List<String> tokens) {
    requireRoom(source, tokens);
    this.tokens = Collections.unmodifiableList(new ArrayList<>(tokens));
    Map<String, Integer> map = HashMap.newHashMap(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      String token = tokens.get(id);
      Integer other = token == null ? null : map.put(token, id);
      if (other != null) {
        throw twice(source, token, other, id);
      }
    }
    ids = new TokenMap(map);
  }

  /**
   * A vocabulary without holes, as it lies in a file: tokens are found by their bytes, and become
   * objects when they are asked for.
   *
   * @throws InputException if two ids have the same token, or there are too many
   */
  public Vocabulary(String source, Utf8Strings tokens) {
    requireRoom(source, tokens);
    this.tokens = tokens;
    Utf8Index index = new Utf8Index(tokens);
    for (int id = 0; id < tokens.size(); id++) {
      int other = index.add(id);
      if (other >= 0) {
        throw twice(source, tokens.get(id), other, id);
      }
    }
    ids = index;
  }

  private static void requireRoom(String source, List<String> tokens) {
    if (tokens.size() > MAX_SIZE) {
      throw new InputException(
          source + ": model.vocab has " + tokens.size() + " ids, more than the limit " + MAX_SIZE);
    }
  }

  private static InputException twice(String source, String token, int first, int second) {
    return new InputException(
        "%s: model.vocab has %s as id %d and as id %d"
            .formatted(source, Printable.quoted(token), first, second));
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
    return ids.id(token);
  }

  /** The id of the token with the UTF-8 {@code bytes[start, end)}, or -1. */
  int id(byte[] bytes, int start, int end) {
    return ids.id(bytes, start, end);
  }

  /** The token of each id, null in holes. */
  public List<String> tokens() {
    return tokens;
  }
}
