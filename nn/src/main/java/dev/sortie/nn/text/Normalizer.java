package dev.sortie.nn.text;

import java.text.Normalizer.Form;
import java.util.List;

/** What is done to the text before it is split, as the normalizer of {@code tokenizer.json}. */
public sealed interface Normalizer {

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
      return java.text.Normalizer.normalize(text, form);
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
