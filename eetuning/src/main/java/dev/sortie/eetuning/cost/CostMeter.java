package dev.sortie.eetuning.cost;

import dev.sortie.eetuning.exit.Exits;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;

/**
 * Measures a {@link CostTable}: passes of the model itself over 1, 2, 4, 8 and 16 tokens of one
 * sequence, with the exits asked on the way, so that each weight comes from where it comes from
 * while decoding, memory or cache. Takes some seconds, most of it until the kernels are compiled.
 */
public final class CostMeter {
  private static final int NEAR = 64;
  private static final int FAR = 1024;

  private static final Duration WARM_UP_MOST = Duration.ofSeconds(12);

  private static final long MEASURING = 700_000_000L;
  private static final int ROUNDS_LEAST = 3;
  private static final int ROUNDS_MOST = 40;

  private final LongSupplier clock;
  private final WarmUp warmUp;

  /** A meter on the system's clock. */
  public CostMeter() {
    this(System::nanoTime, new WarmUp(WARM_UP_MOST));
  }

  /**
   * A meter on a clock in nanoseconds.
   *
   * @param compiled milliseconds that the JVM's compiler has worked
   */
  CostMeter(LongSupplier clock, LongSupplier compiled) {
    this(clock, new WarmUp(clock, compiled, WARM_UP_MOST, WarmUp.STEADY, WarmUp.COMPILING));
  }

  private CostMeter(LongSupplier clock, WarmUp warmUp) {
    this.clock = clock;
    this.warmUp = warmUp;
  }

  /** Numbers of tokens that are measured where the context has room for them. */
  static List<Integer> rows(int context) {
    List<Integer> rows = new ArrayList<>(List.of(1));
    for (int m = 2; m <= Kernels.ROW_STABLE && 2 * m <= context; m *= 2) {
      rows.add(m);
    }
    return rows;
  }

  /**
   * Measures.
   *
   * @param exits exits of {@code decoder}, maybe none
   */
  public CostTable measure(Decoder decoder, Exits exits, Device device) {
    int context = decoder.config().context();
    List<Integer> rows = rows(context);
    int room = context - rows.getLast();
    int near = Math.min(NEAR, room / 2);
    int far = Math.min(FAR, room);
    try (TimedPass pass = new TimedPass(decoder, exits, far + rows.getLast(), device, clock)) {
      warmUp.run(() -> cycle(pass, rows, near));
      NavigableMap<Integer, List<TimedPass.Laps>> nearby = new TreeMap<>();
      NavigableMap<Integer, List<TimedPass.Laps>> faraway = new TreeMap<>();
      rows.forEach(m -> nearby.put(m, new ArrayList<>()));
      faraway.put(1, new ArrayList<>());
      faraway.put(rows.getLast(), new ArrayList<>());
      long start = clock.getAsLong();
      for (int r = 0; r < ROUNDS_MOST; r++) {
        if (r >= ROUNDS_LEAST && clock.getAsLong() - start > MEASURING) {
          break;
        }
        nearby.forEach((m, laps) -> laps.add(pass.run(m, near)));
        faraway.forEach((m, laps) -> laps.add(pass.run(m, far)));
      }
      return table(decoder.config().layers(), exits, near, far, nearby, faraway);
    }
  }

  /** Passes over few rows run more often, so that each kind has as much time. */
  private static void cycle(TimedPass pass, List<Integer> rows, int first) {
    for (int m : rows) {
      for (int i = 0; i < rows.getLast() / m; i++) {
        pass.run(m, first);
      }
    }
  }

  private static CostTable table(
      int layers,
      Exits exits,
      int near,
      int far,
      NavigableMap<Integer, List<TimedPass.Laps>> nearby,
      NavigableMap<Integer, List<TimedPass.Laps>> faraway) {
    RowTimes layer = times(nearby, l -> l.layers() / (double) layers);
    NavigableMap<Integer, Double> attention = new TreeMap<>();
    faraway.forEach(
        (m, laps) -> {
          double more = median(laps, l -> l.layers() / (double) layers) - layer.at(m);
          attention.put(m, far == near ? 0 : Math.max(0, more / (far - near)));
        });
    List<ExitCost> costs = new ArrayList<>();
    for (int i = 0; i < exits.exits().size(); i++) {
      int exit = i;
      var own = exits.exits().get(i);
      costs.add(
          new ExitCost(
              own.depth(),
              own.hasCache()
                  ? Optional.of(times(nearby, l -> l.exitLayers()[exit]))
                  : Optional.empty(),
              median(nearby.get(1), l -> l.checks()[exit])));
    }
    return new CostTable(
        layers,
        near,
        layer,
        new RowTimes(attention),
        times(nearby, TimedPass.Laps::head),
        median(nearby.get(1), TimedPass.Laps::rest),
        costs,
        exits
            .lookahead()
            .map(
                l ->
                    new LookaheadCost(
                        times(nearby, laps -> laps.ahead()[0]),
                        median(nearby.get(1), laps -> laps.ahead()[1]),
                        median(nearby.get(1), laps -> laps.ahead()[2]))));
  }

  private static RowTimes times(
      NavigableMap<Integer, List<TimedPass.Laps>> laps, ToDoubleFunction<TimedPass.Laps> nanos) {
    NavigableMap<Integer, Double> seconds = new TreeMap<>();
    laps.forEach((m, list) -> seconds.put(m, median(list, nanos)));
    return new RowTimes(seconds);
  }

  /** The middle value in seconds. */
  private static double median(List<TimedPass.Laps> laps, ToDoubleFunction<TimedPass.Laps> nanos) {
    List<Double> sorted = new ArrayList<>(laps.stream().map(nanos::applyAsDouble).toList());
    Collections.sort(sorted);
    return sorted.get(sorted.size() / 2) * 1e-9;
  }
}
