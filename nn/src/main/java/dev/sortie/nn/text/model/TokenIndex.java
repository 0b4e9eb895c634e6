package dev.sortie.nn.text.model;

/** Finds the id of a token. */
sealed interface TokenIndex permits TokenMap, Utf8Index {
  /** The id of {@code token}, or -1. */
  int id(String token);

  /** The id of the token with the UTF-8 {@code bytes[start, end)}, or -1. */
  int id(byte[] bytes, int start, int end);
}
