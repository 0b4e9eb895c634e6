package dev.sortie.eetuning.decode;

import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.sampling.TokenLogprobs;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.StreamDecoder;
import dev.sortie.nn.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** A text as it grows: chooses token after token from what a decoder says, and knows its end. */
public final class GenerationState {
  private final int[] prompt;
  private final GenerateOptions options;
  private final Set<Integer> ends;
  private final Sampler sampler;
  private final StreamDecoder words;
  private final StopText stop;
  private final List<GeneratedToken> tokens = new ArrayList<>();
  private final StringBuilder text = new StringBuilder();
  private Optional<String> finish = Optional.empty();

  /**
   * A text after a prompt.
   *
   * @param prompt at least one token
   * @param ends ids that end a text
   * @param vocab number of logits
   */
  public GenerationState(
      int[] prompt, GenerateOptions options, Tokenizer tokenizer, Set<Integer> ends, int vocab) {
    if (prompt.length == 0) {
      throw new InputException(
          "the prompt is empty and the model has no token that begins a text; give at least one"
              + " character");
    }
    this.prompt = prompt;
    this.options = options;
    this.ends = ends;
    List<LogitRule> rules = options.rules().stream().map(Supplier::get).toList();
    if (joined(prompt, tokenizer) < prompt.length) {
      rules.forEach(LogitRule::joinsPrompt);
    }
    this.sampler = new Sampler(options.sampling(), vocab, rules);
    sampler.read(prompt);
    this.words = after(prompt, tokenizer);
    this.stop = new StopText(options.stop());
  }

  /** From which token of the prompt on the text joins it: text begins anew after a special one. */
  private static int joined(int[] prompt, Tokenizer tokenizer) {
    int from = prompt.length;
    while (from > 0 && !tokenizer.isSpecial(prompt[from - 1])) {
      from--;
    }
    return from;
  }

  /**
   * A decoder of the text after a prompt. It has read the text of the prompt, so that the first
   * word keeps the space before it, which decoding drops at the beginning of a text.
   */
  public static StreamDecoder after(int[] prompt, Tokenizer tokenizer) {
    StreamDecoder words = tokenizer.stream();
    for (int i = joined(prompt, tokenizer); i < prompt.length; i++) {
      words.next(prompt[i]);
    }
    return words;
  }

  /**
   * Chooses the next token.
   *
   * @param step what follows what was read
   * @param cancelled asked after the choice; where it says so, the token is the last
   */
  public GeneratedToken next(Step step, BooleanSupplier cancelled) {
    return next(step, choose(step), cancelled);
  }

  /** Whether {@link #choose} may run together with that of other texts. */
  public boolean choosesAlone() {
    return sampler.isPlain();
  }

  /** The token that {@link #next(Step, BooleanSupplier)} would choose. */
  public int choose(Step step) {
    return sampler.choose(step.logits(), prompt.length + tokens.size());
  }

  /**
   * Takes the next token.
   *
   * @param step what follows what was read
   * @param id that {@link #choose} has chosen from it
   * @param cancelled as above
   */
  public GeneratedToken next(Step step, int id, BooleanSupplier cancelled) {
    Optional<TokenLogprobs> logprobs =
        options.logprobs().isPresent()
            ? Optional.of(TokenLogprobs.of(step.logits(), id, options.logprobs().getAsInt()))
            : Optional.empty();
    return take(id, step.exit(), step.confidence(), step.sourceOf(id), logprobs, cancelled);
  }

  /**
   * Takes a token that was chosen elsewhere, by the same rules.
   *
   * @param exit depth of the exit that chose it; empty for the final layer
   * @param confidence largest probability there
   * @param draft the source that had drafted it
   * @param cancelled as above
   */
  public GeneratedToken take(
      int id,
      OptionalInt exit,
      double confidence,
      Optional<String> draft,
      BooleanSupplier cancelled) {
    return take(id, exit, confidence, draft, Optional.empty(), cancelled);
  }

  private GeneratedToken take(
      int id,
      OptionalInt exit,
      double confidence,
      Optional<String> draft,
      Optional<TokenLogprobs> logprobs,
      BooleanSupplier cancelled) {
    boolean end = ends.contains(id) && !options.ignoreEos();
    String shown = end ? "" : stop.add(words.next(id));
    boolean halt = !end && !stop.found() && cancelled.getAsBoolean();
    boolean full = tokens.size() + 1 == options.maxTokens();
    if (end || stop.found() || halt || full) {
      shown += stop.found() ? "" : stop.add(words.finish()) + stop.rest();
      finish = Optional.of(end || stop.found() ? "stop" : halt ? "cancelled" : "length");
    }
    sampler.chose(id);
    GeneratedToken token = new GeneratedToken(id, shown, exit, confidence, draft, logprobs);
    tokens.add(token);
    text.append(shown);
    return token;
  }

  /** Why the text ended, if it has. */
  public Optional<String> finish() {
    return finish;
  }

  /** The text so far, as one that ended for {@code reason}. */
  public Generation generation(String reason, double prefillSeconds, double decodeSeconds) {
    return new Generation(
        prompt, List.copyOf(tokens), text.toString(), reason, prefillSeconds, decodeSeconds);
  }
}
