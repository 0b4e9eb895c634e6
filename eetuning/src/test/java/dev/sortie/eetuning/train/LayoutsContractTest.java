package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tuning, and training from scratch with exits, under all layouts of 1, 2 or 4 ranks along each
 * axis, up to 8 ranks, on all transports that one machine has. A build takes some of them; {@code
 * -Dsortie.layouts=all} takes all, {@code -Dsortie.layouts=13 -Dsortie.layouts.from=26} so many of
 * them from one on.
 *
 * <p>Replicas and stages give the bits of one rank. Ranks that share weights add in another order:
 * their losses are those of one rank to 1e-5, and the same bits whatever the replicas, the stages,
 * the transport and the run. With stages the gates of tuned exits are fitted by a whole model, so
 * that the file then has the bits of the others with stages.
 */
@Tag("any-kernels")
@Tag("slow")
class LayoutsContractTest {
  private static final String ASKED = System.getProperty("sortie.layouts", "");
  private static final Map<Alike, TinyTraining.Result> FIRST = new ConcurrentHashMap<>();

  @TempDir static Path shared;
  @TempDir Path out;

  private final Queue<String> errors = new ConcurrentLinkedQueue<>();

  /**
   * One layout.
   *
   * @param sequence whether ranks that share weights share out the tokens too
   */
  record Layout(Job job, int tp, int dp, int pp, boolean sequence) {
    Mesh mesh() {
      return new Mesh(tp, dp, pp);
    }

    TinyTraining training() {
      return job.training(sequence);
    }

    /** What it has the bits of. */
    Alike alike() {
      return new Alike(job, tp, sequence, job == Job.TUNE && tp > 1 && pp > 1);
    }
  }

  /** What is trained. */
  private enum Job {
    TUNE {
      @Override
      TinyTraining training(boolean sequence) {
        return new TinyTuning(
            shared.resolve("model"),
            shared.resolve("exits"),
            Objective.KL,
            sequence,
            TinyTraining.STEPS,
            t -> {});
      }
    },
    PRETRAIN {
      @Override
      TinyTraining training(boolean sequence) {
        return new TinyPretraining(TinyPretraining.Model.TIED, TinyTraining.STEPS)
            .sharingTokens(sequence);
      }
    };

    abstract TinyTraining training(boolean sequence);
  }

  /** Layouts whose results are the same. */
  private record Alike(Job job, int tp, boolean sequence, boolean stages) {
    Layout simplest() {
      return new Layout(job, tp, 1, stages ? 2 : 1, sequence);
    }
  }

  @BeforeAll
  static void makeModel() {
    TinyKind.prepare(shared);
  }

  static List<Layout> every() {
    List<Layout> layouts = new ArrayList<>();
    for (Job job : Job.values()) {
      for (int tp = 1; tp <= 4; tp *= 2) {
        for (int dp = 1; dp <= 4; dp *= 2) {
          for (int pp = 1; pp <= 4 && tp * dp * pp <= 8; pp *= 2) {
            layouts.add(new Layout(job, tp, dp, pp, false));
            if (tp > 1) {
              layouts.add(new Layout(job, tp, dp, pp, true));
            }
          }
        }
      }
    }
    return layouts;
  }

  private static List<Layout> asked(Layout... few) {
    if (ASKED.isEmpty()) {
      return List.of(few);
    }
    List<Layout> every = every();
    int first = Integer.getInteger("sortie.layouts.from", 0);
    int end = ASKED.equals("all") ? every.size() : first + Integer.parseInt(ASKED);
    return every.subList(first, Math.min(end, every.size()));
  }

  static List<Layout> threads() {
    return asked(
        new Layout(Job.TUNE, 1, 2, 2, false),
        new Layout(Job.TUNE, 2, 1, 4, false),
        new Layout(Job.TUNE, 2, 2, 1, true),
        new Layout(Job.TUNE, 2, 2, 2, true),
        new Layout(Job.TUNE, 2, 2, 2, false),
        new Layout(Job.TUNE, 4, 1, 2, false),
        new Layout(Job.PRETRAIN, 2, 1, 4, false),
        new Layout(Job.PRETRAIN, 2, 2, 2, true),
        new Layout(Job.PRETRAIN, 4, 2, 1, false));
  }

  static List<Layout> tcp() {
    return asked(
        new Layout(Job.TUNE, 1, 2, 2, false),
        new Layout(Job.TUNE, 2, 1, 2, false),
        new Layout(Job.TUNE, 2, 2, 1, true),
        new Layout(Job.PRETRAIN, 2, 1, 2, true));
  }

  static List<Layout> sharedMemoryProcesses() {
    return asked(new Layout(Job.TUNE, 2, 1, 2, true));
  }

  static List<Layout> tcpProcesses() {
    return asked(new Layout(Job.PRETRAIN, 1, 2, 2, false));
  }

  /** The simplest layout of those that are alike, once for all tests. */
  private static TinyTraining.Result first(Alike alike) throws Exception {
    if (!FIRST.containsKey(alike)) {
      Layout simplest = alike.simplest();
      Path folder = shared.resolve("first " + simplest);
      FIRST.put(alike, simplest.training().run(folder, simplest.mesh()));
      near(first(new Alike(alike.job, 1, false, false)), FIRST.get(alike));
    }
    return FIRST.get(alike);
  }

  private static void near(TinyTraining.Result alone, TinyTraining.Result other) {
    Map<String, List<Double>> found = other.outcome().history().losses();
    alone
        .outcome()
        .history()
        .losses()
        .forEach(
            (exit, losses) -> {
              assertThat(losses).as("losses that move").doesNotHaveDuplicates();
              for (int i = 0; i < losses.size(); i++) {
                assertThat(found.get(exit).get(i))
                    .as("exit %s, step %d", exit, i)
                    .isCloseTo(losses.get(i), within(1e-5 * losses.get(i)));
              }
            });
  }

  private void sameBits(Layout layout, TinyRanks.Joining joining) throws Exception {
    TinyTraining.Result first = first(layout.alike());
    for (TinyTraining.Result r : layout.training().all(out, layout.mesh(), joining)) {
      assertThat(r.outcome().history().losses()).isEqualTo(first.outcome().history().losses());
      assertThat(r.outcome().history().validations())
          .isEqualTo(first.outcome().history().validations());
    }
    assertThat(layout.training().sha256(out)).isEqualTo(first.sha256());
  }

  @ParameterizedTest
  @MethodSource("threads")
  void asThreads(Layout layout) throws Exception {
    sameBits(layout, TinyRanks.Joining.THREADS);
  }

  @ParameterizedTest
  @MethodSource("tcp")
  void asThreadsOverTcp(Layout layout) throws Exception {
    sameBits(layout, TinyRanks.Joining.TCP);
  }

  private void sameFile(Layout layout, String transport) throws Exception {
    int code =
        TrainRank.launch(
            layout.training(), out, layout.mesh(), transport, TrainRank.Kill.NEVER, errors);
    assertThat(code).as(String.join("\n", errors)).isZero();
    assertThat(layout.training().sha256(out)).isEqualTo(first(layout.alike()).sha256());
  }

  @ParameterizedTest
  @MethodSource("sharedMemoryProcesses")
  void asProcessesInSharedMemory(Layout layout) throws Exception {
    sameFile(layout, "");
  }

  @ParameterizedTest
  @MethodSource("tcpProcesses")
  void asProcessesOverTcp(Layout layout) throws Exception {
    sameFile(layout, "tcp");
  }
}
