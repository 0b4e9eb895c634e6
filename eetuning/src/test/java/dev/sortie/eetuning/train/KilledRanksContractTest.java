package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.format.Sha256;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Ranks that are processes get SIGKILL, after some step or at some moment of a checkpoint; the run
 * goes on under another layout and ends with the undisturbed bits. {@code -Dsortie.faults=20} for
 * more seeds than a build takes.
 */
@DisabledOnOs(OS.WINDOWS)
@Tag("any-kernels")
class KilledRanksContractTest {
  private static final List<Mesh> LAYOUTS =
      List.of(mesh(1, 1), mesh(2, 1), mesh(1, 2), mesh(2, 2), mesh(1, 3), mesh(4, 1));

  @TempDir static Path shared;
  @TempDir Path out;

  private static String undisturbed;

  private final Queue<String> errors = new ConcurrentLinkedQueue<>();

  private static Mesh mesh(int dp, int pp) {
    return new Mesh(1, 1, dp, pp);
  }

  @BeforeAll
  static void tuneUndisturbed() throws Exception {
    Path model = TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    TinyTuning.writeExits(model, shared.resolve("exits"), false);
    undisturbed = tuning().run(shared.resolve("undisturbed"), Mesh.single()).sha256();
  }

  private static TinyTuning tuning() {
    return new TinyTuning(shared.resolve("model"), shared.resolve("exits"), Objective.CE, t -> {});
  }

  static IntStream seeds() {
    return IntStream.range(0, Integer.getInteger("sortie.faults", 1));
  }

  /** The moments of a checkpoint by turns, and every seventh time between two of them. */
  private static TuneRank.Kill kill(int seed, Random random, Mesh layout) {
    SaveMoment[] moments = SaveMoment.values();
    int moment = (seed + SaveMoment.SHARD_WRITTEN.ordinal()) % (moments.length + 1);
    if (moment == moments.length) {
      int step = 1 + random.nextInt(TinyTuning.STEPS);
      return new TuneRank.Kill(random.nextInt(layout.world()), step, null);
    }
    int step = 2 + 2 * random.nextInt(2); // checkpoints after 2, 4 and 6 steps
    boolean leaders = moments[moment] == SaveMoment.DESCRIBED;
    boolean writers =
        moments[moment] == SaveMoment.FOLDER_MADE || moments[moment] == SaveMoment.SHARD_WRITTEN;
    int stage = random.nextInt(layout.pp()) * layout.dp();
    int victim = leaders ? 0 : writers ? stage : random.nextInt(layout.world());
    return new TuneRank.Kill(victim, step, moments[moment]);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void aKilledRankCostsNoBits(int seed) throws Exception {
    Random random = new Random(seed);
    Mesh first = LAYOUTS.get(random.nextInt(LAYOUTS.size()));
    TuneRank.Kill kill = kill(seed, random, first);
    assertThat(TuneRank.launch(tuning(), out, first, "", kill, errors))
        .as("%s on %s", kill, first)
        .isNotZero();
    Mesh then = LAYOUTS.get(random.nextInt(LAYOUTS.size()));
    errors.clear();
    assertThat(TuneRank.launch(tuning(), out, then, "", TuneRank.Kill.NEVER, errors))
        .as(String.join("\n", errors))
        .isZero();
    assertThat(Sha256.of(out.resolve(ExitsFile.TENSORS))).isEqualTo(undisturbed);
  }
}
