package dev.sortie.eetuning.decode;

import dev.sortie.nn.text.Tokenizer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Generates text: reads a prompt, then chooses and reads token after token. */
public final class Generator {
  private final DecodingStrategy strategy;
  private final Tokenizer tokenizer;
  private final Set<Integer> ends;
  private final int vocab;

  /**
   * A generator for one text.
   *
   * @param ends ids that end a text
   * @param vocab number of logits
   */
  public Generator(DecodingStrategy strategy, Tokenizer tokenizer, List<Integer> ends, int vocab) {
    this.strategy = strategy;
    this.tokenizer = tokenizer;
    this.ends = new HashSet<>(ends);
    this.vocab = vocab;
  }

  /**
   * Generates.
   *
   * @param prompt at least one token
   * @param listener gets each token as it comes; its text is held back while a stop string may be
   *     coming
   */
  public Generation run(int[] prompt, GenerateOptions options, Consumer<GeneratedToken> listener) {
    return run(prompt, options, listener, () -> false);
  }

  /**
   * Generates until somebody wants it to stop.
   *
   * @param cancelled asked after each token; where it says so, that token is the last
   */
  public Generation run(
      int[] prompt,
      GenerateOptions options,
      Consumer<GeneratedToken> listener,
      BooleanSupplier cancelled) {
    GenerationState state = new GenerationState(prompt, options, tokenizer, ends, vocab);
    long start = System.nanoTime();
    Step step = strategy.prefill(prompt);
    long prefilled = System.nanoTime();
    long first = 0;
    while (true) {
      GeneratedToken token = state.next(step, cancelled);
      first = first == 0 ? System.nanoTime() : first;
      listener.accept(token);
      if (state.finish().isPresent()) {
        double decode = (System.nanoTime() - first) * 1e-9;
        return state.generation(state.finish().get(), (prefilled - start) * 1e-9, decode);
      }
      step = strategy.next(token.id());
    }
  }
}
