package dev.sortie.nn.text.model;

import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Text that a vocabulary without an unknown token cannot spell is left out, as Hugging Face's
 * tokenizers and llama.cpp do (SmolLM2 has no token for some control characters); the first time is
 * logged.
 */
final class UnknownText {
  private final String source;
  private final String field;
  private final AtomicBoolean warned = new AtomicBoolean();

  /**
   * For one tokenizer.
   *
   * @param field the field of {@code source} that names no unknown token
   */
  UnknownText(String source, String field) {
    this.source = source;
    this.field = field;
  }

  void leftOut(Supplier<String> what) {
    if (warned.compareAndSet(false, true)) {
      System.getLogger(UnknownText.class.getName()) // finding loggers takes 20 ms of a start
          .log(
              Level.WARNING,
              "{0}: no token for {1} and no {2}; such text is left out",
              source,
              what.get(),
              field);
    }
  }
}
