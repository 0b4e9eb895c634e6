package dev.sortie.nn.text;

import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PreTokenizer;
import java.text.Normalizer.Form;
import java.util.List;

/**
 * Where a text can be cut so that its parts have the ids that they have in the whole: behind a
 * letter, before white space or a full stop or comma of Chinese. There every expression of
 * byte-level tokenizers ends a piece, whatever follows, and begins the next one without a look
 * back. It needs a tokenizer that splits with one of them, whose other stages change characters one
 * by one, and whose added tokens cannot lie over such a place.
 */
final class TextCuts {
  private static final String BEHIND = " \n\r\t\u3001\u3002";

  private TextCuts() {}

  /** Whether texts of a tokenizer can be cut there; if not, it needs them whole. */
  static boolean areKnown(TokenizerSpec spec) {
    return isLocal(spec.normalizer())
        && splits(spec.preTokenizer())
        && spec.added().stream().allMatch(TextCuts::isApart);
  }

  /** What leaves the letter before a cut as it is, and adds nothing at the ends of a text. */
  private static boolean isLocal(Normalizer normalizer) {
    return switch (normalizer) {
      case Normalizer.None none -> true;
      case Normalizer.Unicode(Form form) -> form == Form.NFC;
      case Normalizer.Sequence(List<Normalizer> steps) ->
          steps.stream().allMatch(TextCuts::isLocal);
      default -> false;
    };
  }

  private static boolean splits(PreTokenizer preTokenizer) {
    List<PreTokenizer> steps =
        preTokenizer instanceof PreTokenizer.Sequence(List<PreTokenizer> several)
            ? several
            : List.of(preTokenizer);
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

  /** Special tokens are not parsed, but no other token is found in what spells one. */
  private static boolean isApart(AddedToken token) {
    return (token.special() || !token.lstrip() && !token.rstrip() && !token.singleWord())
        && last(token.content(), 0) == 0;
  }

  /**
   * The last place behind {@code from}, or 0 if there is none. The end of the text is no place,
   * since what comes is not known.
   */
  static int last(CharSequence text, int from) {
    for (int i = text.length() - 1; i > 0 && i >= from; i--) {
      if (BEHIND.indexOf(text.charAt(i)) >= 0 && isLetter(Character.codePointBefore(text, i))) {
        return i;
      }
    }
    return 0;
  }

  /** A letter that NFC does not take apart into one with a mark, as U+0958. */
  private static boolean isLetter(int c) {
    return Character.isLetter(c)
        && java.text.Normalizer.isNormalized(Character.toString(c), Form.NFC);
  }
}
