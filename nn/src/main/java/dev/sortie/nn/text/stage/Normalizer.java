package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.unicode.CharClass;
import dev.sortie.nn.text.unicode.UnicodeForms;
import java.text.Normalizer.Form;
import java.util.List;

/** What is done to the text before it is split, as the normalizer of {@code tokenizer.json}. */
public sealed interface Normalizer
    permits Normalizer.None,
        Normalizer.Unicode,
        Normalizer.Prepend,
        Normalizer.Replace,
        Normalizer.CollapseSpaces,
        Normalizer.Lowercase,
        Normalizer.Strip,
        Normalizer.StripAccents,
        Normalizer.Precompiled,
        Normalizer.Sequence,
        SentencePieceNormalizer {

  /** The text after normalisation. */
  String normalize(String text);

  /** Leaves the text as it is. */
  record None() implements Normalizer {
    @Override
    public String normalize(String text) {
      return text;
    }
  }

  /** A Unicode normalisation form. */
  record Unicode(Form form) implements Normalizer {
    @Override
    public String normalize(String text) {
      return UnicodeForms.normalize(text, form);
    }
  }

  /** Puts {@code prefix} before a text that is not empty. */
  record Prepend(String prefix) implements Normalizer {
    @Override
    public String normalize(String text) {
      return text.isEmpty() ? text : prefix + text;
    }
  }

  /** Replaces each occurrence of a string that is not empty. */
  record Replace(String pattern, String content) implements Normalizer {
    @Override
    public String normalize(String text) {
      return text.replace(pattern, content);
    }
  }

  /** Each run of two spaces and more becomes {@code content}. */
  record CollapseSpaces(String content) implements Normalizer {
    /** The expression that files have for it. */
    public static final String REGEX = " {2,}";

    @Override
    public String normalize(String text) {
      StringBuilder out = new StringBuilder(text.length());
      int end;
      for (int i = 0; i < text.length(); i = end) {
        end = i + 1;
        while (text.charAt(i) == ' ' && end < text.length() && text.charAt(end) == ' ') {
          end++;
        }
        out.append(end - i > 1 ? content : text.substring(i, end));
      }
      return out.toString();
    }
  }

  /** Small letters, character by character: a final sigma is as any other. */
  record Lowercase() implements Normalizer {
    @Override
    public String normalize(String text) {
      StringBuilder out = new StringBuilder(text.length());
      text.codePoints()
          .forEach(
              c -> {
                out.appendCodePoint(Character.toLowerCase(c));
                if (c == '\u0130') {
                  out.append('\u0307'); // the only character whose small form is two characters
                }
              });
      return out.toString();
    }
  }

  /** White space is taken off the ends of the text. */
  record Strip(boolean left, boolean right) implements Normalizer {
    @Override
    public String normalize(String text) {
      int start = 0;
      int end = text.length();
      while (left && start < end && CharClass.isSpace(text.charAt(start))) {
        start++;
      }
      while (right && end > start && CharClass.isSpace(text.charAt(end - 1))) {
        end--;
      }
      return text.substring(start, end);
    }
  }

  /** Marks that combine with the character before are left out. */
  record StripAccents() implements Normalizer {
    @Override
    public String normalize(String text) {
      StringBuilder out = new StringBuilder(text.length());
      text.codePoints().filter(c -> !CharClass.isMark(c)).forEach(out::appendCodePoint);
      return out.toString();
    }
  }

  /**
   * SentencePiece's table of replacements, applied as Hugging Face's tokenizers does.
   *
   * @param map the table
   */
  record Precompiled(PrecompiledCharsMap map) implements Normalizer {
    @Override
    public String normalize(String text) {
      return map.normalizeGraphemes(text);
    }
  }

  /** One after another. */
  record Sequence(List<Normalizer> steps) implements Normalizer {
    /** Keeps a copy. */
    public Sequence {
      steps = List.copyOf(steps);
    }

    @Override
    public String normalize(String text) {
      for (Normalizer step : steps) {
        text = step.normalize(text);
      }
      return text;
    }
  }
}
