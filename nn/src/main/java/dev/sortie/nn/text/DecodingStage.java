package dev.sortie.nn.text;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import dev.sortie.nn.text.stage.TokenDecoding;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A step of {@link TokenDecoding} on one stream. It gives what later tokens cannot change, and the
 * rest at the end. Where tokens are fused, what comes in one stream are parts of one token.
 */
abstract sealed class DecodingStage {
  /** Whether {@link #release} may have something to give: asked for each token. */
  boolean holding;

  /**
   * Takes a token, or a part of the one that is fused.
   *
   * @return what is certain now, or null if that is no token yet
   */
  abstract String accept(String token, Budget budget);

  /** A token that was held back and comes before {@code token}, which is no part of it; or null. */
  String release(String token) {
    return null;
  }

  /** What was held back, or null; the stream may begin anew. */
  String finish() {
    return null;
  }

  /** The stages of {@code decoding} after its bytes, if it has such. */
  static List<DecodingStage> of(TokenDecoding decoding) {
    List<DecodingStage> stages = new ArrayList<>();
    boolean fused = false;
    for (TokenDecoding.Step step : decoding.steps()) {
      switch (step) {
        case TokenDecoding.ByteLevel level -> fused = true;
        case TokenDecoding.Fuse fuse -> fused = true;
        case TokenDecoding.ByteFallback fallback -> stages.add(new ByteFallback());
        case TokenDecoding.Metaspace m -> stages.add(new Metaspace(m));
        case TokenDecoding.Replace r -> stages.add(fused ? new FusedReplace(r) : new Replace(r));
        case TokenDecoding.Strip s -> stages.add(fused ? new FusedStrip(s) : new Strip(s));
      }
    }
    return stages;
  }

  private static final class Replace extends DecodingStage {
    private final TokenDecoding.Replace step;

    Replace(TokenDecoding.Replace step) {
      this.step = step;
    }

    @Override
    String accept(String token, Budget budget) {
      return Search.replace(token, step.pattern(), step.content(), budget);
    }
  }

  /**
   * Holds back what may be the start of an occurrence: by the rule of Knuth, Morris and Pratt, so
   * that no character is looked at again however long the pattern is.
   */
  private static final class FusedReplace extends DecodingStage {
    private final TokenDecoding.Replace step;

    /** Of each beginning of the pattern the longest shorter one that it ends with. */
    private final int[] borders;

    /** How much of the pattern is held back. */
    private int held;

    FusedReplace(TokenDecoding.Replace step) {
      this.step = step;
      borders = Search.borders(step.pattern());
    }

    @Override
    String accept(String part, Budget budget) {
      String pattern = step.pattern();
      StringBuilder done = new StringBuilder(part.length());
      for (int i = 0; i < part.length(); i++) {
        char c = part.charAt(i);
        while (held > 0 && pattern.charAt(held) != c) {
          int shorter = borders[held - 1];
          done.append(pattern, 0, held - shorter);
          held = shorter;
        }
        if (pattern.charAt(held) != c) {
          done.append(c);
        } else if (++held == pattern.length()) {
          budget.length((long) done.length() + step.content().length());
          done.append(step.content());
          held = 0;
        }
      }
      return done.toString();
    }

    @Override
    String finish() {
      String rest = step.pattern().substring(0, held);
      held = 0;
      return rest;
    }
  }

  private static final class Strip extends DecodingStage {
    private final TokenDecoding.Strip step;

    Strip(TokenDecoding.Strip step) {
      this.step = step;
    }

    @Override
    String accept(String token, Budget budget) {
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
      return token.substring(start, end);
    }
  }

  /** Holds back what may stand at the end. */
  private static final class FusedStrip extends DecodingStage {
    private final TokenDecoding.Strip step;
    private final String character;
    private int toStrip;
    private int held;

    FusedStrip(TokenDecoding.Strip step) {
      this.step = step;
      character = String.valueOf(step.content());
      toStrip = step.start();
    }

    @Override
    String accept(String part, Budget budget) {
      boolean plain = !part.isEmpty() && part.charAt(part.length() - 1) != step.content();
      if (plain && toStrip == 0 && held == 0) {
        return part;
      }
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
      int ending = part.length() - end;
      String certain = part.substring(from, end);
      if (end > from) {
        certain = character.repeat(held) + certain;
        held = 0;
      }
      int keep = Math.min(step.stop(), held + ending);
      certain += character.repeat(held + ending - keep);
      held = keep;
      return certain;
    }

    @Override
    String finish() {
      held = 0;
      toStrip = step.start();
      return null;
    }
  }

  private static final class Metaspace extends DecodingStage {
    private final TokenDecoding.Metaspace step;
    private boolean first = true;

    Metaspace(TokenDecoding.Metaspace step) {
      this.step = step;
    }

    @Override
    String accept(String token, Budget budget) {
      String space = step.dropFirst() && first ? "" : " ";
      first = false;
      return token.replace(String.valueOf(step.replacement()), space);
    }

    @Override
    String finish() {
      first = true;
      return null;
    }
  }

  private static final class ByteFallback extends DecodingStage {
    private final ByteArrayOutputStream run = new ByteArrayOutputStream();

    @Override
    String release(String token) {
      return holding && TokenDecoding.fallbackByte(token) < 0 ? finish() : null;
    }

    @Override
    String accept(String token, Budget budget) {
      int value = TokenDecoding.fallbackByte(token);
      if (value < 0) {
        return token;
      }
      run.write(value);
      holding = true;
      return null;
    }

    /** A run of byte tokens is either valid as a whole or unknown byte by byte. */
    @Override
    String finish() {
      if (!holding) {
        return null;
      }
      holding = false;
      byte[] bytes = run.toByteArray();
      run.reset();
      try {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return StandardCharsets.UTF_8.newDecoder().decode(buffer).toString();
      } catch (CharacterCodingException e) {
        return TokenStream.UNKNOWN.repeat(bytes.length);
      }
    }
  }
}
