package dev.sortie.nn.text;

import dev.sortie.nn.text.stage.TokenDecoding;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * A step of {@link TokenDecoding} on one stream. It hands on what later tokens cannot change, and
 * the rest at the end. Where tokens are fused, the calls of one stream are parts of one token.
 */
abstract sealed class DecodingStage {
  /** Where the text goes: the next stage, or the result. */
  private final DecodingStage next;

  private final StringBuilder out;

  private DecodingStage(DecodingStage next, StringBuilder out) {
    this.next = next;
    this.out = out;
  }

  /** A token, or a part of the one that is fused. */
  abstract void accept(String token);

  /** The stream ends, and may begin anew. */
  void finish() {
    if (next != null) {
      next.finish();
    }
  }

  final void give(String text) {
    if (next != null) {
      next.accept(text);
    } else {
      out.append(text);
    }
  }

  /** The stages of {@code decoding} after its bytes, if it has such. */
  static DecodingStage chain(TokenDecoding decoding, StringBuilder out) {
    DecodingStage first = new Unchanged(out);
    for (int i = decoding.steps().size() - 1; i >= 0; i--) {
      boolean fused =
          decoding.steps().subList(0, i).stream()
              .anyMatch(
                  s -> s instanceof TokenDecoding.Fuse || s instanceof TokenDecoding.ByteLevel);
      first =
          switch (decoding.steps().get(i)) {
            case TokenDecoding.ByteLevel level -> first;
            case TokenDecoding.Fuse fuse -> first;
            case TokenDecoding.ByteFallback fallback -> new ByteFallback(first);
            case TokenDecoding.Metaspace m -> new Metaspace(m, first);
            case TokenDecoding.Replace r ->
                fused ? new FusedReplace(r, first) : new Replace(r, first);
            case TokenDecoding.Strip s -> fused ? new FusedStrip(s, first) : new Strip(s, first);
          };
    }
    return first;
  }

  private static final class Unchanged extends DecodingStage {
    Unchanged(StringBuilder out) {
      super(null, out);
    }

    @Override
    void accept(String token) {
      give(token);
    }
  }

  private static final class Replace extends DecodingStage {
    private final TokenDecoding.Replace step;

    Replace(TokenDecoding.Replace step, DecodingStage next) {
      super(next, null);
      this.step = step;
    }

    @Override
    void accept(String token) {
      give(token.replace(step.pattern(), step.content()));
    }
  }

  /** Holds back what may be the start of an occurrence. */
  private static final class FusedReplace extends DecodingStage {
    private final TokenDecoding.Replace step;
    private String held = "";

    FusedReplace(TokenDecoding.Replace step, DecodingStage next) {
      super(next, null);
      this.step = step;
    }

    @Override
    void accept(String part) {
      String text = held + part;
      String pattern = step.pattern();
      StringBuilder done = new StringBuilder();
      int from = 0;
      for (int at; (at = text.indexOf(pattern, from)) >= 0; from = at + pattern.length()) {
        done.append(text, from, at).append(step.content());
      }
      int keep = Math.min(text.length() - from, pattern.length() - 1);
      while (!pattern.startsWith(text.substring(text.length() - keep))) {
        keep--;
      }
      held = text.substring(text.length() - keep);
      give(done.append(text, from, text.length() - keep).toString());
    }

    @Override
    void finish() {
      give(held);
      held = "";
      super.finish();
    }
  }

  private static final class Strip extends DecodingStage {
    private final TokenDecoding.Strip step;

    Strip(TokenDecoding.Strip step, DecodingStage next) {
      super(next, null);
      this.step = step;
    }

    @Override
    void accept(String token) {
      int start = 0;
      while (start < Math.min(step.start(), token.length())
          && token.charAt(start) == step.content()) {
        start++;
      }
      int end = token.length();
      while (end > start
          && token.length() - end < step.stop()
          && token.charAt(end - 1) == step.content()) {
        end--;
      }
      give(token.substring(start, end));
    }
  }

  /** Holds back what may stand at the end. */
  private static final class FusedStrip extends DecodingStage {
    private final TokenDecoding.Strip step;
    private int toStrip;
    private int held;

    FusedStrip(TokenDecoding.Strip step, DecodingStage next) {
      super(next, null);
      this.step = step;
      toStrip = step.start();
    }

    @Override
    void accept(String part) {
      int from = 0;
      while (toStrip > 0 && from < part.length()) {
        if (part.charAt(from) == step.content()) {
          from++;
          toStrip--;
        } else {
          toStrip = 0;
        }
      }
      int end = part.length();
      while (end > from && part.charAt(end - 1) == step.content()) {
        end--;
      }
      String character = String.valueOf(step.content());
      int ending = part.length() - end;
      if (end > from) {
        give(character.repeat(held) + part.substring(from, end));
        held = 0;
      }
      int keep = Math.min(step.stop(), held + ending);
      give(character.repeat(held + ending - keep));
      held = keep;
    }

    @Override
    void finish() {
      held = 0;
      toStrip = step.start();
      super.finish();
    }
  }

  private static final class Metaspace extends DecodingStage {
    private final TokenDecoding.Metaspace step;
    private boolean first = true;

    Metaspace(TokenDecoding.Metaspace step, DecodingStage next) {
      super(next, null);
      this.step = step;
    }

    @Override
    void accept(String token) {
      String space = step.dropFirst() && first ? "" : " ";
      first = false;
      give(token.replace(String.valueOf(step.replacement()), space));
    }

    @Override
    void finish() {
      first = true;
      super.finish();
    }
  }

  private static final class ByteFallback extends DecodingStage {
    private final ByteArrayOutputStream run = new ByteArrayOutputStream();

    ByteFallback(DecodingStage next) {
      super(next, null);
    }

    @Override
    void accept(String token) {
      int value = TokenDecoding.fallbackByte(token);
      if (value >= 0) {
        run.write(value);
      } else {
        flush();
        give(token);
      }
    }

    /** A run of byte tokens is either valid as a whole or unknown byte by byte. */
    private void flush() {
      if (run.size() == 0) {
        return;
      }
      byte[] bytes = run.toByteArray();
      run.reset();
      try {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        give(StandardCharsets.UTF_8.newDecoder().decode(buffer).toString());
      } catch (CharacterCodingException e) {
        give(TokenStream.UNKNOWN.repeat(bytes.length));
      }
    }

    @Override
    void finish() {
      flush();
      super.finish();
    }
  }
}
