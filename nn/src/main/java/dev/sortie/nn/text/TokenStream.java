package dev.sortie.nn.text;

import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.unicode.ByteAlphabet;
import dev.sortie.nn.text.unicode.Utf8Decoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The stream decoder of every tokenizer whose tokens are strings: see {@link TokenDecoding}. */
final class TokenStream implements StreamDecoder {
  /** Stands for bytes that are no text, and for ids that no token has. */
  static final String UNKNOWN = "\uFFFD";

  private final Tokenizer tokenizer;
  private final AddedTokens added;
  private final boolean byteLevel;
  private final boolean keepSpecial;
  private final Utf8Decoder utf8 = new Utf8Decoder();
  private final StringBuilder out = new StringBuilder();
  private final DecodingStage stages;

  TokenStream(Tokenizer tokenizer, AddedTokens added, TokenDecoding decoding, boolean keepSpecial) {
    this.tokenizer = tokenizer;
    this.added = added;
    this.keepSpecial = keepSpecial;
    byteLevel = decoding.isByteLevel();
    stages = DecodingStage.chain(decoding, out);
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
    if (byteLevel) {
      StringBuilder characters = new StringBuilder();
      utf8.accept(bytes(id, token), characters);
      stages.accept(characters.toString());
    } else {
      stages.accept(token.orElse(UNKNOWN));
    }
    return taken();
  }

  @Override
  public String finish() {
    if (byteLevel) {
      StringBuilder rest = new StringBuilder();
      utf8.finish(rest);
      stages.accept(rest.toString());
    }
    stages.finish();
    return taken();
  }

  private String taken() {
    String text = out.toString();
    out.setLength(0);
    return text;
  }

  /** An added token is plain text even where its characters belong to the byte alphabet. */
  private byte[] bytes(int id, Optional<String> token) {
    return token.isEmpty() || added.isAdded(id)
        ? token.orElse(UNKNOWN).getBytes(StandardCharsets.UTF_8)
        : ByteAlphabet.bytes(token.get());
  }
}
