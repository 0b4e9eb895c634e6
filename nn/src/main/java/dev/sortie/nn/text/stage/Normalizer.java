package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import dev.sortie.nn.text.unicode.CharClass;
import dev.sortie.nn.text.unicode.UnicodeForms;
import java.text.Normalizer.Form;
import java.util.List;
import java.util.stream.Stream;

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

  /**
   * The text after normalisation.
   *
   * @param budget what it may still cost; a step counts what it adds before it adds it
   */
  String normalize(String text, Budget budget);

  /** Leaves the text as it is. */
  record None() implements Normalizer {
    @Override
    public String normalize(String text, Budget budget) {
      return text;
    }
  }

  /** A Unicode normalisation form. */
  record Unicode(Form form) implements Normalizer {
    @Override
    public String normalize(String text, Budget budget) {
      return UnicodeForms.normalize(text, form);
    }
  }

  /** Puts {@code prefix} before a text that is not empty. */
  record Prepend(String prefix) implements Normalizer {
    @Override
    public String normalize(String text, Budget budget) {
      return text.isEmpty() ? text : prefix + text;
    }
  }

  /** Replaces each occurrence of a string that is not empty. */
  record Replace(String pattern, String content) implements Normalizer {
    @Override
    public String normalize(String text, Budget budget) {
      return Search.replace(text, pattern, content, budget);
    }
  }

  /** Each run of two spaces and more becomes {@code content}. */
  record CollapseSpaces(String content) implements Normalizer {
    /** The expression that files have for it. */
    public static final String REGEX = " {2,}";

    @Override
    public String normalize(String text, Budget budget) {
      StringBuilder out = new StringBuilder(text.length());
      int end;
      for (int i = 0; i < text.length(); i = end) {
        end = i + 1;
        while (text.charAt(i) == ' ' && end < text.length() && text.charAt(end) == ' ') {
          end++;
        }
        if (end - i > 1) {
          budget.length((long) out.length() + content.length());
          out.append(content);
        } else {
          out.append(text.charAt(i));
        }
      }
      return out.toString();
    }
  }

  /** Small letters, character by character: a final sigma is as any other. */
  record Lowercase() implements Normalizer {
    @Override
    public String normalize(String text, Budget budget) {
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
    public String normalize(String text, Budget budget) {
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
    public String normalize(String text, Budget budget) {
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
    public String normalize(String text, Budget budget) {
      return map.normalizeGraphemes(text, budget);
    }
  }

  /** One after another. */
  record Sequence(List<Normalizer> steps) implements Normalizer {
    /** Keeps a copy without sequences in it. */
    public Sequence {
      steps =
          steps.stream()
              .flatMap(step -> step instanceof Sequence s ? s.steps.stream() : Stream.of(step))
              .toList();
    }

    @Override
    public String normalize(String text, Budget budget) {
      for (int i = 0; i < steps.size(); i++) {
        budget.at("normalizer", i + 1);
        text = budget.made(steps.get(i).normalize(text, budget));
      }
      return text;
    }
  }
}
