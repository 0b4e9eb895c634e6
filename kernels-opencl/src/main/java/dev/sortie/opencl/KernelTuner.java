package dev.sortie.opencl;

import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.lang.System.Logger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jocl.CLException;

/**
 * Measures the cuts of {@link Spaces} on a device, family after family, and chooses. A cut takes
 * part if its kernels pass their trials and compute what the usual cut computes. Samples are taken
 * in turns, so that a change of the machine's speed meets all cuts, and medians are compared. The
 * usual cut stays unless another is clearly faster: noise must not change results.
 */
final class KernelTuner {
  private static final Logger LOG = System.getLogger(KernelTuner.class.getName());

  private static final int ROUNDS = 9;

  /** Fewer rounds say nothing, and the usual cut stays. */
  private static final int LEAST_ROUNDS = 3;

  /** A gain below is noise. */
  private static final double CLEARLY = 1.05;

  private static final long SAMPLE_NANOS = 4_000_000;

  /** Of results that pass through roots, divisions and exponentials in another order. */
  private static final double TOLERANCE = 1e-5;

  private final Engine usual;
  private final BinaryCache cache;

  /**
   * A tuner.
   *
   * @param usual the device, with the usual cuts
   * @param cache where compiled programs are kept
   */
  KernelTuner(Engine usual, BinaryCache cache) {
    this.usual = usual;
    this.cache = cache;
  }

  /** Measures; the limit is shared out, and what a family leaves of its share goes to the next. */
  Tuning run(Duration limit, List<Family> families) {
    long end = System.nanoTime() + limit.toNanos();
    Map<Family, Tuning.Choice> choices = new EnumMap<>(Family.class);
    for (int i = 0; i < families.size(); i++) {
      long now = System.nanoTime();
      Family family = families.get(i);
      choose(family, now + (end - now) / (families.size() - i))
          .ifPresent(choice -> choices.put(family, choice));
    }
    return new Tuning(choices);
  }

  private static final class Candidate {
    private final Cut cut;
    private final Engine engine;
    private final Kernels kernels;
    private final List<Double> seconds = new ArrayList<>();

    Candidate(Cut cut, Engine engine) {
      this.cut = cut;
      this.engine = engine;
      this.kernels = new DeviceKernels(engine);
    }

    double median() {
      double[] sorted = seconds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
      return sorted[sorted.length / 2];
    }
  }

  private Optional<Tuning.Choice> choose(Family family, long deadline) {
    List<Candidate> candidates = new ArrayList<>();
    try (NativeArena arena = new NativeArena("tuning of a device")) {
      Workload work = Workload.of(family, arena);
      prepare(family, work, candidates, deadline);
      if (candidates.isEmpty() || !measure(work, candidates, deadline)) {
        return Optional.empty();
      }
      Candidate first = candidates.getFirst();
      Candidate best = first;
      for (Candidate c : candidates) {
        LOG.log(Logger.Level.DEBUG, "{0} {1}: {2} ms", family, c.cut, c.median() * 1e3);
        best = c.median() < best.median() ? c : best;
      }
      double gain = first.median() / best.median();
      return Optional.of(
          gain < CLEARLY ? new Tuning.Choice(first.cut, 1) : new Tuning.Choice(best.cut, gain));
    } finally {
      candidates.forEach(c -> c.engine.programs().close());
    }
  }

  /** Builds and checks the cuts, the usual one first; half of the time is left for measuring. */
  private void prepare(Family family, Workload work, List<Candidate> candidates, long deadline) {
    long half = System.nanoTime() + (deadline - System.nanoTime()) / 2;
    List<double[]> expected = null;
    for (Cut cut : usual.preset().spaces().get(family)) {
      if (System.nanoTime() > half) {
        return;
      }
      Candidate c = new Candidate(cut, usual.with(usual.preset().with(family, cut), cache));
      boolean right = passes(family, work, c);
      List<double[]> results =
          right ? work.results().stream().map(KernelTuner::values).toList() : null;
      if (right && (expected == null || agree(expected, results))) {
        expected = expected == null ? results : expected;
        candidates.add(c);
      } else {
        c.engine.programs().close();
        if (expected == null) {
          return; // the usual cut itself fails: certification will say so
        }
      }
    }
  }

  private static boolean passes(Family family, Workload work, Candidate c) {
    Certification certification = new Certification(c.engine);
    try {
      if (!family.trials().stream().allMatch(kernel -> certification.trial(kernel).isEmpty())) {
        return false;
      }
      work.run().accept(c.kernels);
      c.engine.session().finish();
      return true;
    } catch (ClPrograms.BuildException | CLException e) {
      return false; // more registers or local memory than there are, for example
    }
  }

  private static double[] values(Span span) {
    double[] values = new double[Math.toIntExact(span.length())];
    Arrays.setAll(values, span::get);
    return values;
  }

  private static boolean agree(List<double[]> expected, List<double[]> actual) {
    for (int o = 0; o < expected.size(); o++) {
      double[] e = expected.get(o);
      double largest = Arrays.stream(e).map(Math::abs).max().orElse(0);
      for (int i = 0; i < e.length; i++) {
        if (!(Math.abs(actual.get(o)[i] - e[i]) <= TOLERANCE * largest)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether there was time for enough rounds. */
  private static boolean measure(Workload work, List<Candidate> candidates, long deadline) {
    double once = sample(work, candidates.getFirst(), 1);
    int times = (int) Math.clamp(SAMPLE_NANOS * 1e-9 / once, 1, 1000);
    for (int round = 0; round < ROUNDS; round++) {
      if (System.nanoTime() > deadline) {
        return round >= LEAST_ROUNDS;
      }
      for (int i = 0; i < candidates.size(); i++) {
        Candidate c = candidates.get((i + round) % candidates.size());
        c.seconds.add(sample(work, c, times));
      }
    }
    return true;
  }

  private static double sample(Workload work, Candidate c, int times) {
    long start = System.nanoTime();
    for (int i = 0; i < times; i++) {
      work.run().accept(c.kernels);
    }
    c.engine.session().finish();
    return (System.nanoTime() - start) * 1e-9 / times;
  }
}
