package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** A user's access token. It is never shown. */
public final class HubToken {
  private static final int LONGEST = 4096;

  private final String value;
  private final String origin;

  private HubToken(String value, String origin) {
    this.value = value;
    this.origin = origin;
  }

  /**
   * A token.
   *
   * @param origin where it came from, for messages
   * @throws InputException if it cannot be one
   */
  public static HubToken of(String value, String origin) {
    boolean fit =
        !value.isEmpty()
            && value.length() <= LONGEST
            && value.chars().allMatch(c -> c > ' ' && c < 0x7F);
    if (!fit) {
      throw new InputException(
          origin
              + " holds no access token: expected up to "
              + LONGEST
              + " visible ASCII characters without spaces; copy it anew from the hub's settings");
    }
    return new HubToken(value, origin);
  }

  /** That of the environment or of the file that the hub's own tools keep, if there is one. */
  static Optional<HubToken> find(Map<String, String> environment, Path file) {
    for (String name : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
      String value = environment.getOrDefault(name, "").strip();
      if (!value.isEmpty()) {
        return Optional.of(of(value, name));
      }
    }
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      if (Files.size(file) > LONGEST) {
        throw new InputException(
            "%s: has %d bytes, a token has at most %d; fix or remove it"
                .formatted(file, Files.size(file), LONGEST));
      }
      String value = Files.readString(file).strip();
      return value.isEmpty() ? Optional.empty() : Optional.of(of(value, file.toString()));
    } catch (IOException e) {
      throw new InputException(
          file + ": the token cannot be read: " + e.getClass().getSimpleName() + "; check it", e);
    }
  }

  /** The header's value. */
  String authorization() {
    return "Bearer " + value;
  }

  /** Where it came from. */
  String origin() {
    return origin;
  }

  @Override
  public String toString() {
    return "token from " + origin;
  }
}
