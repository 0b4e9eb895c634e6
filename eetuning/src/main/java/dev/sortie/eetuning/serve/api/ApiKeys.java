package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Who may ask. Of a key only its SHA-256 is kept, and a key that is sent is compared with all of
 * them in a time that depends on neither.
 */
public final class ApiKeys {
  private static final String BEARER = "Bearer ";
  private static final int SHORTEST = 8;

  private final List<byte[]> hashes;

  private ApiKeys(List<byte[]> hashes) {
    this.hashes = hashes;
  }

  /** Everyone may ask. */
  public static ApiKeys none() {
    return new ApiKeys(List.of());
  }

  /** One key. */
  public static ApiKeys of(String key) {
    return new ApiKeys(List.of(hash(key)));
  }

  /**
   * The keys of a file: one on each line; empty lines and those that begin with # do not count.
   *
   * @throws InputException if there is none, or one is too short to be a secret
   */
  public static ApiKeys read(Path file) {
    List<byte[]> hashes = new ArrayList<>();
    int number = 0;
    for (String line : TextFiles.readAny(file).lines().toList()) {
      number++;
      String key = line.strip();
      if (key.isEmpty() || key.startsWith("#")) {
        continue;
      }
      if (key.length() < SHORTEST) {
        throw new InputException(
            "%s: line %d: a key of %d characters; take at least %d"
                .formatted(NamedInput.name(file), number, key.length(), SHORTEST));
      }
      hashes.add(hash(key));
    }
    if (hashes.isEmpty()) {
      throw new InputException(
          NamedInput.name(file) + ": no key; put one on a line, or leave out --api-keys");
    }
    return new ApiKeys(hashes);
  }

  /**
   * Who sends a request: a name for the key, the address where no keys are needed.
   *
   * @throws ApiError if a key is needed and none of them was sent
   */
  String owner(HttpExchange exchange) {
    if (hashes.isEmpty()) {
      return exchange.peer();
    }
    Optional<String> sent =
        exchange
            .header("Authorization")
            .filter(h -> h.regionMatches(true, 0, BEARER, 0, BEARER.length()))
            .map(h -> h.substring(BEARER.length()).strip())
            .or(() -> exchange.header("X-Api-Key").map(String::strip));
    byte[] hash = hash(sent.orElse(""));
    int found = -1;
    for (int i = 0; i < hashes.size(); i++) {
      found = MessageDigest.isEqual(hashes.get(i), hash) ? i : found;
    }
    if (found < 0) {
      throw ApiError.unauthorized();
    }
    return "key " + (found + 1);
  }

  private static byte[] hash(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
