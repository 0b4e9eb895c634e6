package dev.sortie.nn.text;

import dev.sortie.nn.text.TokenDecoding.ByteLevel;
import dev.sortie.nn.text.TokenDecoding.Metaspace;
import dev.sortie.nn.text.TokenDecoding.Pieces;
import dev.sortie.nn.text.TokenDecoding.Replacement;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The stream decoder of every tokenizer whose tokens are strings: see {@link TokenDecoding}. */
final class TokenStream implements StreamDecoder {
  private static final String UNKNOWN = "\uFFFD";

  private final Tokenizer tokenizer;
  private final AddedTokens added;
  private final TokenDecoding decoding;
  private final boolean keepSpecial;
  private final Utf8Decoder utf8 = new Utf8Decoder();
  private final ByteArrayOutputStream run = new ByteArrayOutputStream();
  private boolean first = true;
  private int toStrip;

  TokenStream(Tokenizer tokenizer, AddedTokens added, TokenDecoding decoding, boolean keepSpecial) {
    this.tokenizer = tokenizer;
    this.added = added;
    this.decoding = decoding;
    this.keepSpecial = keepSpecial;
    restart();
  }

  @Override
  public String next(int id) {
    if (id < 0) {
      throw new IllegalArgumentException("token id " + id + " is negative");
    }
    if (!keepSpecial && tokenizer.isSpecial(id)) {
      return "";
    }
    Optional<String> token = tokenizer.token(id);
    StringBuilder out = new StringBuilder();
    switch (decoding) {
      case ByteLevel() -> utf8.accept(bytes(id, token), out);
      case Pieces pieces -> piece(pieces, token, out);
      case Metaspace(char replacement, boolean dropFirst) ->
          out.append(
              token
                  .map(t -> t.replace(String.valueOf(replacement), dropFirst && first ? "" : " "))
                  .orElse(UNKNOWN));
    }
    first = false;
    return out.toString();
  }

  @Override
  public String finish() {
    StringBuilder out = new StringBuilder();
    utf8.finish(out);
    flushRun(out);
    restart();
    return out.toString();
  }

  private void restart() {
    first = true;
    toStrip = decoding instanceof Pieces pieces ? pieces.stripStart() : 0;
  }

  /** An added token is plain text even where its characters belong to the byte alphabet. */
  private byte[] bytes(int id, Optional<String> token) {
    return token.isEmpty() || added.isAdded(id)
        ? token.orElse(UNKNOWN).getBytes(StandardCharsets.UTF_8)
        : ByteAlphabet.bytes(token.get());
  }

  private void piece(Pieces pieces, Optional<String> token, StringBuilder out) {
    int value = pieces.byteFallback() ? TokenDecoding.fallbackByte(token.orElse("")) : -1;
    if (value >= 0) {
      run.write(value);
      return;
    }
    flushRun(out);
    String text = token.orElse(UNKNOWN);
    for (Replacement r : pieces.replacements()) {
      text = text.replace(r.pattern(), r.content());
    }
    strip(text, out);
  }

  /** A run of byte tokens is either valid as a whole or unknown byte by byte. */
  private void flushRun(StringBuilder out) {
    if (run.size() == 0) {
      return;
    }
    byte[] bytes = run.toByteArray();
    run.reset();
    try {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      strip(StandardCharsets.UTF_8.newDecoder().decode(buffer).toString(), out);
    } catch (CharacterCodingException e) {
      strip(UNKNOWN.repeat(bytes.length), out);
    }
  }

  private void strip(String text, StringBuilder out) {
    int from = 0;
    while (toStrip > 0 && from < text.length()) {
      if (text.charAt(from) == ((Pieces) decoding).strip()) {
        from++;
        toStrip--;
      } else {
        toStrip = 0;
      }
    }
    out.append(text, from, text.length());
  }
}
