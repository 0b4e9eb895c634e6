package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Single tokens as the API shows them. */
record TokenText(Tokenizer tokenizer) {

  /** As the chat API has it: bytes that are no characters as U+FFFD. */
  String text(int id) {
    return new String(tokenizer.bytes(id), StandardCharsets.UTF_8);
  }

  /** As the completions API has it: a token that is no text is spelled {@code bytes:\xe2\x80}. */
  String spelled(int id) {
    byte[] bytes = tokenizer.bytes(id);
    return strict(bytes)
        .orElseGet(
            () -> {
              StringBuilder spelling = new StringBuilder("bytes:");
              for (byte b : bytes) {
                spelling.append("\\x%02x".formatted(b & 0xff));
              }
              return spelling.toString();
            });
  }

  List<Integer> bytes(int id) {
    List<Integer> bytes = new ArrayList<>();
    for (byte b : tokenizer.bytes(id)) {
      bytes.add(b & 0xff);
    }
    return bytes;
  }

  private static Optional<String> strict(byte[] bytes) {
    try {
      return Optional.of(
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      return Optional.empty();
    }
  }
}
