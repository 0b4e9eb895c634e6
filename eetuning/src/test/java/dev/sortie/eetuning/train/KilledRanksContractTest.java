package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ranks that are processes get SIGKILL, in the middle of a step or at some moment of a checkpoint,
 * also of one that is written during the next steps; the run resumes under another layout and ends
 * with the undisturbed bits. {@code -Dsortie.faults=20} for so many seeds of every kind of
 * training, {@code -Dsortie.faults.from=5} to begin with another one; a build takes a few.
 */
@DisabledOnOs(OS.WINDOWS)
@Tag("any-kernels")
@Tag("slow")
class KilledRanksContractTest {
  private static final int LONGEST_DELAY = 40;

  @TempDir static Path shared;
  @TempDir Path out;

  private static final Map<TinyKind, String> UNDISTURBED = new ConcurrentHashMap<>();

  private final Queue<String> errors = new ConcurrentLinkedQueue<>();

  /** A run that is disturbed. */
  record Case(TinyKind kind, int seed) {}

  @BeforeAll
  static void makeModel() {
    TinyKind.prepare(shared);
  }

  private static String undisturbed(TinyKind kind) throws Exception {
    if (!UNDISTURBED.containsKey(kind)) {
      UNDISTURBED.put(kind, kind.undisturbed(shared));
    }
    return UNDISTURBED.get(kind);
  }

  static Stream<Case> cases() {
    int seeds = Integer.getInteger("sortie.faults", 0);
    if (seeds == 0) {
      return Stream.of(new Case(TinyKind.TUNE, 0), new Case(TinyKind.PRETRAIN_ASYNC, 1));
    }
    int first = Integer.getInteger("sortie.faults.from", 0);
    return Arrays.stream(TinyKind.values())
        .flatMap(
            kind -> IntStream.range(first, first + seeds).mapToObj(seed -> new Case(kind, seed)));
  }

  /** The moments of a checkpoint by turns, and then once in the middle of a step. */
  private static TrainRank.Kill kill(int seed, Random random, Mesh layout) {
    CheckpointListener.Moment[] moments = CheckpointListener.Moment.values();
    int turn =
        (seed + CheckpointListener.Moment.SHARD_HALF_WRITTEN.ordinal()) % (moments.length + 1);
    int any = random.nextInt(layout.world());
    if (turn == moments.length) {
      int step = 1 + random.nextInt(TinyTraining.STEPS - 1);
      return new TrainRank.Kill(any, step, null, random.nextInt(LONGEST_DELAY));
    }
    int step = 2 + 2 * random.nextInt(2); // checkpoints after 2, 4 and 6 steps
    boolean leader =
        moments[turn] == CheckpointListener.Moment.DESCRIBED
            || moments[turn] == CheckpointListener.Moment.NAMED;
    int victim = leader ? 0 : any; // rank 0 alone comes there
    return TrainRank.Kill.at(moments[turn], step, victim);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aKilledRankCostsNoBits(Case c) throws Exception {
    Random random = new Random(c.seed);
    List<Mesh> layouts = c.kind.layouts();
    TinyTraining training = c.kind.training(shared);
    Mesh first = layouts.get(random.nextInt(layouts.size()));
    TrainRank.Kill kill = kill(c.seed, random, first);
    assertThat(TrainRank.launch(training, out, first, "", kill, errors))
        .as("%s on %s: %s", kill, first, errors)
        .isNotZero();
    Mesh then = layouts.get(random.nextInt(layouts.size()));
    errors.clear();
    assertThat(TrainRank.launch(training, out, then, "", TrainRank.Kill.NEVER, errors))
        .as(String.join("\n", errors))
        .isZero();
    assertThat(training.sha256(out)).isEqualTo(undisturbed(c.kind));
  }
}
