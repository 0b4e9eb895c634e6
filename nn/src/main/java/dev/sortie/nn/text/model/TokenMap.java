package dev.sortie.nn.text.model;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Finds tokens by a map of strings, which stays fast where a file's tokens all have one hash code,
 * as an open table does not.
 */
record TokenMap(Map<String, Integer> ids) implements TokenIndex {
  @Override
  public int id(String token) {
    return ids.getOrDefault(token, -1);
  }

  @Override
  public int id(byte[] bytes, int start, int end) {
    return id(new String(bytes, start, end - start, StandardCharsets.UTF_8));
  }
}
