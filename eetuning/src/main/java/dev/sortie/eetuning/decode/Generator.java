package dev.sortie.eetuning.decode;

import dev.sortie.nn.InputException;
import dev.sortie.nn.text.StreamDecoder;
import dev.sortie.nn.text.Tokenizer;
import java.util.ArrayList;
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
    if (prompt.length == 0) {
      throw new InputException(
          "the prompt is empty and the model has no token that begins a text; give at least one character");
    }
    Sampler sampler = new Sampler(options.sampling(), vocab);
    for (int id : prompt) {
      sampler.saw(id);
    }
    StreamDecoder words = tokenizer.stream();
    StopText stop = new StopText(options.stop());
    List<GeneratedToken> tokens = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    long start = System.nanoTime();
    Step step = strategy.prefill(prompt);
    long prefilled = System.nanoTime();
    long first = 0;
    String finish = "length";
    while (tokens.size() < options.maxTokens()) {
      int id = sampler.choose(step.logits(), strategy.position());
      first = tokens.isEmpty() ? System.nanoTime() : first;
      boolean end = ends.contains(id) && !options.ignoreEos();
      String shown = end ? "" : stop.add(words.next(id));
      boolean halt = !end && !stop.found() && cancelled.getAsBoolean();
      boolean last = end || stop.found() || halt || tokens.size() + 1 == options.maxTokens();
      if (last) {
        shown += stop.found() ? "" : stop.add(words.finish()) + stop.rest();
      }
      sampler.saw(id);
      GeneratedToken token =
          new GeneratedToken(id, shown, step.exit(), step.confidence(), step.sourceOf(id));
      tokens.add(token);
      text.append(shown);
      listener.accept(token);
      if (end || stop.found()) {
        finish = "stop";
        break;
      }
      if (halt) {
        finish = "cancelled";
        break;
      }
      if (!last) {
        step = strategy.next(id);
      }
    }
    double decode = (System.nanoTime() - first) * 1e-9;
    return new Generation(
        prompt, tokens, text.toString(), finish, (prefilled - start) * 1e-9, decode);
  }
}
