package dev.sortie.eetuning.explain;

import dev.sortie.eetuning.explain.KernelUse.CacheUse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How one token was chosen: the way through the layers of the token before it.
 *
 * @param prompt ids of the prompt
 * @param number which of the generated tokens, from 1
 * @param chosen the token itself
 * @param exit depth of the exit that chose it; empty for the final layer
 * @param read the token before it, whose way this is
 * @param position of that token, from 0
 * @param embedding kernels before the first layer
 * @param layers all of them
 * @param exits those given, whether they were asked or not
 * @param last what the final layer says
 */
public record Explanation(
    List<Integer> prompt,
    int number,
    ReadToken chosen,
    OptionalInt exit,
    ReadToken read,
    int position,
    List<KernelUse> embedding,
    List<LayerRun> layers,
    List<ExitRun> exits,
    FinalRun last) {

  /** A token of the text. */
  public record ReadToken(int id, String text) {}

  /**
   * A layer's pass over the token.
   *
   * @param layer which, from 1
   * @param by number of the token that was being chosen when it ran; empty if the text ended before
   * @param rows tokens in the pass: this one and others that lacked the layer
   * @param cache keys and values that its attention read, those of the pass among them
   * @param kernels that it ran, in order
   */
  public record LayerRun(
      int layer, OptionalInt by, int rows, Optional<CacheUse> cache, List<KernelUse> kernels) {
    /** Time in kernels. */
    public long nanos() {
      return Explanation.nanos(kernels);
    }

    LayerRun quickest(LayerRun again) {
      return new LayerRun(layer, by, rows, cache, KernelUse.quickest(kernels, again.kernels));
    }
  }

  /** Whether an exit was asked while the text was generated. */
  public enum Asked {
    /** It was, and the token left there. */
    TAKEN,
    /** It was, and the token went deeper. */
    PASSED,
    /** The token had left below. */
    BELOW,
    /** It was not: see {@link dev.sortie.eetuning.decode.policy.ExitSchedule}, or a probe. */
    SKIPPED
  }

  /**
   * An exit.
   *
   * @param kernels that it ran when it was asked alone
   */
  public record ExitRun(ExitReading reading, Asked asked, List<KernelUse> kernels) {
    /** Time in kernels. */
    public long nanos() {
      return Explanation.nanos(kernels);
    }
  }

  /**
   * The final layer's head.
   *
   * @param confidence its largest probability
   * @param kernels that it ran for this token alone
   */
  public record FinalRun(double confidence, List<LikelyToken> top, List<KernelUse> kernels) {
    /** Time in kernels. */
    public long nanos() {
      return Explanation.nanos(kernels);
    }
  }

  /**
   * Layers that ran together.
   *
   * @param first the first of them
   * @param last the last of them
   * @param by as in {@link LayerRun}
   * @param rows as in {@link LayerRun}
   */
  public record Stretch(int first, int last, OptionalInt by, int rows) {}

  /** The layers by when they ran, shallow first. */
  public List<Stretch> stretches() {
    List<Stretch> list = new ArrayList<>();
    for (LayerRun run : layers) {
      Stretch before = list.isEmpty() ? null : list.getLast();
      if (before != null && before.by().equals(run.by()) && before.rows() == run.rows()) {
        list.removeLast();
        list.add(new Stretch(before.first(), run.layer(), run.by(), run.rows()));
      } else {
        list.add(new Stretch(run.layer(), run.layer(), run.by(), run.rows()));
      }
    }
    return list;
  }

  /** Those of {@link #stretches} that did not run when the token was read. */
  public List<Stretch> deferred() {
    return stretches().stream().filter(s -> !s.by().equals(OptionalInt.of(number))).toList();
  }

  private static long nanos(List<KernelUse> kernels) {
    return kernels.stream().mapToLong(KernelUse::nanos).sum();
  }
}
