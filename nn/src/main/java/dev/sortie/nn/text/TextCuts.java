package dev.sortie.nn.text;

import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PreTokenizer;
import java.text.Normalizer.Form;
import java.util.List;
import java.util.Optional;

/**
 * Where a text can be cut so that its parts have the ids that they have in the whole: after a
 * letter, before what begins another piece whatever follows. The other stages of such a tokenizer
 * change characters one by one, and no added token can lie over such a place.
 */
enum TextCuts {
  /**
   * Of byte-level tokenizers that split with one of their expressions: there each of these ends a
   * piece and begins the next one without a look back.
   */
  BEFORE_SPACES(" \n\r\t\u3001\u3002", 0),

  /**
   * Of tokenizers whose words begin with ▁, where a text that begins with a space is not changed.
   */
  BEFORE_A_SPACE(" ", 0),

  /**
   * The same where each text is given a ▁ in front: the next part is given it for the space, which
   * is left out. Letters on both sides, which no added token has at its ends, make sure that no
   * text between added tokens begins or ends there.
   */
  AT_A_SPACE(" ", 1);

  private static final char METASPACE = '\u2581';

  private final String behind;
  private final int leftOut;

  TextCuts(String behind, int leftOut) {
    this.behind = behind;
    this.leftOut = leftOut;
  }

  /**
   * How texts of a tokenizer can be cut; empty if it needs them whole.
   *
   * @param wordsApart whether its model gives the same ids if it is given a text cut before each ▁
   *     after another character
   */
  static Optional<TextCuts> of(TokenizerSpec spec, boolean wordsApart) {
    List<Normalizer> normalizers =
        spec.normalizer() instanceof Normalizer.Sequence(List<Normalizer> steps)
            ? steps
            : List.of(spec.normalizer());
    List<PreTokenizer> preTokenizers =
        spec.preTokenizer() instanceof PreTokenizer.Sequence(List<PreTokenizer> steps)
            ? steps
            : List.of(spec.preTokenizer());
    Optional<TextCuts> cuts =
        normalizers.stream().allMatch(TextCuts::isCanonical) && splits(preTokenizers)
            ? Optional.of(BEFORE_SPACES)
            : ofWords(normalizers, preTokenizers, wordsApart);
    return cuts.filter(c -> spec.added().stream().allMatch(c::isApart));
  }

  /** What leaves the letter before a cut as it is, and adds nothing at the ends of a text. */
  private static boolean isCanonical(Normalizer normalizer) {
    return normalizer instanceof Normalizer.None
        || normalizer instanceof Normalizer.Unicode(Form form) && form == Form.NFC;
  }

  private static boolean splits(List<PreTokenizer> steps) {
    boolean cuts = false;
    for (PreTokenizer step : steps) {
      switch (step) {
        case PreTokenizer.Split split -> cuts = true;
        case PreTokenizer.Digits digits -> {
          // letters and white space are no digits: no cut is made here, and none is missed
        }
        case PreTokenizer.ByteLevel(boolean addPrefixSpace, boolean useRegex) -> {
          if (addPrefixSpace) {
            return false;
          }
          cuts |= useRegex;
        }
        default -> {
          return false;
        }
      }
    }
    return cuts;
  }

  private static Optional<TextCuts> ofWords(
      List<Normalizer> normalizers, List<PreTokenizer> preTokenizers, boolean wordsApart) {
    boolean visible = false;
    boolean prepended = false;
    for (Normalizer step : normalizers) {
      if (step.equals(new Normalizer.Replace(" ", String.valueOf(METASPACE)))) {
        visible = true;
      } else if (step.equals(new Normalizer.Prepend(String.valueOf(METASPACE))) && !prepended) {
        prepended = true;
      } else if (!isCanonical(step)) {
        return Optional.empty();
      }
    }
    boolean apart = wordsApart;
    for (PreTokenizer step : preTokenizers) {
      switch (step) {
        case PreTokenizer.None none -> {}
        case PreTokenizer.Metaspace metaspace when metaspace.replacement() == METASPACE -> {
          visible = true;
          apart |= metaspace.split();
        }
        case PreTokenizer.Delimiter delimiter -> {
          if (!visible || !delimiter.delimiter().equals(" ")) {
            return Optional.empty();
          } // else there is no space any more to cut at
        }
        default -> {
          return Optional.empty();
        }
      }
    }
    return visible && apart
        ? Optional.of(prepended ? AT_A_SPACE : BEFORE_A_SPACE)
        : Optional.empty();
  }

  /** Special tokens are not parsed, but no other token is found in what spells one. */
  private boolean isApart(AddedToken token) {
    String content = token.content().replace(METASPACE, ' ');
    return (token.special() || !token.lstrip() && !token.rstrip() && !token.singleWord())
        && BEFORE_SPACES.last(content, 0) == 0
        && (leftOut == 0 || content.isEmpty() || isBetweenWords(content));
  }

  /** What begins or ends a text of its own neither before a cut nor after it. */
  private static boolean isBetweenWords(String content) {
    return content.charAt(0) != ' '
        && !Character.isLetter(content.codePointAt(0))
        && !Character.isLetter(content.codePointBefore(content.length()));
  }

  /**
   * The last place after {@code from}, or 0 if there is none. The end of the text is no place,
   * since what comes is not known.
   */
  int last(CharSequence text, int from) {
    for (int i = text.length() - 1 - leftOut; i > 0 && i >= from; i--) {
      if (behind.indexOf(text.charAt(i)) >= 0
          && isLetter(Character.codePointBefore(text, i))
          && (leftOut == 0 || isLetter(Character.codePointAt(text, i + leftOut)))) {
        return i;
      }
    }
    return 0;
  }

  /** Characters after a place that belong to no part. */
  int leftOut() {
    return leftOut;
  }

  /** A letter that NFC does not take apart into one with a mark, as U+0958. */
  private static boolean isLetter(int c) {
    return Character.isLetter(c)
        && java.text.Normalizer.isNormalized(Character.toString(c), Form.NFC);
  }
}
