package dev.sortie.benchmarks.live;

import dev.sortie.benchmarks.cold.ColdRow;
import dev.sortie.benchmarks.cold.PromptText;
import dev.sortie.benchmarks.compare.DisagreementException;
import dev.sortie.benchmarks.measure.PeerWarmUp;
import dev.sortie.benchmarks.measure.Turns;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.eetuning.decode.chat.LivePrompt;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.sampling.Sampler;
import dev.sortie.eetuning.decode.single.FullDepth;
import dev.sortie.eetuning.decode.single.PrefixReuse;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.text.EncodeOptions;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * What somebody who types a prompt waits for: the time from the last key to the first token, where
 * the prompt was read while it was typed, and where all of it is read then.
 */
public final class TypedPrompt {
  private static final int WARM_KEYS = 1000;

  private final LanguageModel model;
  private final String text;
  private final int keys;
  private int left;

  /**
   * A prompt that is not typed yet.
   *
   * @param tokens its length, special ones not counted
   * @param keys typed per second
   */
  public TypedPrompt(LanguageModel model, int tokens, int keys) {
    this.model = model;
    this.text = PromptText.of(tokens, model.tokenizer());
    this.keys = keys;
  }

  /**
   * Types and waits, in turns with waiting alone. The ratio is the whole prompt's time by the
   * other's.
   *
   * @throws DisagreementException if what follows has other bits
   */
  public ColdRow measure(String name, int rounds) {
    int capacity = ids(text).length;
    try (PrefixReuse cache =
        PrefixReuse.exact(new FullDepth(model.decoder(), capacity, model.device()), capacity)) {
      float[][] logits = new float[2][];
      PeerWarmUp.run(() -> whole(cache, logits));
      typed(cache, WARM_KEYS, logits);
      List<Supplier<Double>> sides =
          List.of(() -> typed(cache, keys, logits), () -> whole(cache, logits));
      List<List<Double>> seconds = Turns.samples(rounds, sides);
      return new ColdRow(name, seconds.getFirst(), seconds.getLast());
    }
  }

  /** Tokens that were left to read at the last key, in the last sample. */
  public int left() {
    return left;
  }

  private int[] ids(String typed) {
    return Prompt.encode(model, typed, EncodeOptions.DEFAULT);
  }

  private double whole(PrefixReuse cache, float[][] logits) {
    cache.rewind(0);
    long start = System.nanoTime();
    logits[1] = first(cache);
    return (System.nanoTime() - start) * 1e-9;
  }

  private double typed(PrefixReuse cache, int speed, float[][] logits) {
    cache.rewind(0);
    try (LivePrompt live = new LivePrompt(cache, this::ids)) {
      long begin = System.nanoTime();
      for (int i = 1; i <= text.length(); i++) {
        live.typed(text.substring(0, i));
        sleepUntil(begin + i * 1_000_000_000L / speed);
      }
      long start = System.nanoTime();
      live.settle();
      logits[0] = first(cache);
      double seconds = (System.nanoTime() - start) * 1e-9;
      left = ids(text).length - cache.reused();
      if (!Arrays.equals(logits[0], logits[1])) {
        throw new DisagreementException(
            "a prompt read while it was typed gives other logits than one read whole");
      }
      return seconds;
    }
  }

  /** Up to the choice of the first token. */
  private float[] first(PrefixReuse cache) {
    Step step = cache.prefill(ids(text));
    Sampler.argmax(step.logits());
    return step.logits().clone();
  }

  private static void sleepUntil(long nanos) {
    try {
      long left = nanos - System.nanoTime();
      Thread.sleep(Math.max(0, left / 1_000_000), (int) Math.max(0, left % 1_000_000));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring", e);
    }
  }
}
