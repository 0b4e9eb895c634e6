package dev.sortie.eetuning.train.stage;

import dev.sortie.eetuning.cost.WarmUp;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Measures how long parts of a model take, on weights that are made up: what they say does not
 * matter, only their sizes. Memory is written before it is read, for pages that were never written
 * are one and the same page, which stays in the cache.
 */
public final class StageProfiler {
  private static final Duration WARM_UP_FEW = Duration.ofSeconds(5);
  private static final Duration WARM_UP_MOST = Duration.ofSeconds(10);
  private static final int FEW = 64;
  private static final long MEASURING = 700_000_000L;
  private static final int LEAST = 5;
  private static final double MADE_UP = 0.01;
  private static final Set<String> TABLES = Set.of("model.embed_tokens.weight", "lm_head.weight");

  private StageProfiler() {}

  /**
   * What parts work on.
   *
   * @param batch made-up tokens
   * @param states hidden states of them, {@code [B, T, C]}
   */
  public record Input(Microbatch batch, Tensor states) {
    static Input of(
        int windows, int length, DecoderConfig c, Allocator allocator, Kernels kernels) {
      return new Input(
          windows(windows, length, c.vocab()),
          filled(allocator, kernels, Shape.of(windows, length, c.hidden())));
    }
  }

  /** A part of a model at work, in several laps. */
  @FunctionalInterface
  public interface Part {
    /** Does all of it once; the seconds of each lap. */
    double[] laps(Input input);
  }

  /**
   * The median seconds of each lap of each part, once the JVM has compiled them. Parts take turns,
   * so that what else the machine does meets all of them. Compilation begins on a few tokens: a
   * whole micro-batch takes many seconds before it (Zen 5, two busy cores: 10 s for two layers and
   * an exit that later take 50 ms).
   *
   * @param windows of a micro-batch
   * @param length tokens in a window
   * @return empty if they were still compiled at the end of the time
   */
  public static Optional<List<double[]>> seconds(
      List<Part> parts,
      int windows,
      int length,
      DecoderConfig config,
      Allocator allocator,
      Kernels kernels) {
    Input few = Input.of(1, Math.min(length, FEW), config, allocator, kernels);
    Input all = Input.of(windows, length, config, allocator, kernels);
    WarmUp.amongOthers(WARM_UP_FEW).run(() -> parts.forEach(part -> part.laps(few)));
    if (!WarmUp.amongOthers(WARM_UP_MOST).run(() -> parts.forEach(part -> part.laps(all)))) {
      return Optional.empty();
    }
    List<List<double[]>> rounds = new ArrayList<>();
    long start = System.nanoTime();
    while (rounds.size() < LEAST || System.nanoTime() - start < MEASURING) {
      rounds.add(parts.stream().map(part -> part.laps(all)).toList());
    }
    return Optional.of(
        IntStream.range(0, parts.size())
            .mapToObj(i -> medians(rounds.stream().map(round -> round.get(i)).toList()))
            .toList());
  }

  private static double[] medians(List<double[]> all) {
    return IntStream.range(0, all.getFirst().length)
        .mapToDouble(
            lap ->
                all.stream()
                    .mapToDouble(laps -> laps[lap])
                    .sorted()
                    .skip(all.size() / 2)
                    .findFirst()
                    .orElseThrow())
        .toArray();
  }

  /** The seconds of some work. */
  public static double time(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) * 1e-9;
  }

  /** Weights of any name, shape and use; the embedding and the head are one tensor. */
  public static Weights weights(Allocator allocator, Kernels kernels) {
    Map<Shape, Tensor> tables = new HashMap<>();
    return (name, shape, role) ->
        TABLES.contains(name)
            ? tables.computeIfAbsent(shape, s -> filled(allocator, kernels, s))
            : filled(allocator, kernels, shape);
  }

  /** A tensor whose memory has been written. */
  public static Tensor filled(Allocator allocator, Kernels kernels, Shape shape) {
    Tensor t = Tensor.allocate(allocator, DType.F32, shape);
    kernels.fill(t.span(), MADE_UP);
    return t;
  }

  private static Microbatch windows(int count, int length, int vocab) {
    int[][] windows = new int[count][length + 1];
    int at = 0;
    for (int[] window : windows) {
      Arrays.setAll(window, i -> i % vocab);
      window[0] = at++ % vocab;
    }
    return new Microbatch(0, windows, new long[count]);
  }
}
