package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.nn.format.Sha256;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * All layouts of 1, 2 or 4 ranks along each axis, up to 8 ranks, on all transports that one machine
 * has. A build takes some of them; {@code -Dsortie.layouts=all} takes all.
 *
 * <p>Replicas and stages give the bits of one rank. Ranks that share weights add in another order:
 * their losses are those of one rank to 1e-5, and the same bits whatever the replicas, the stages,
 * the transport and the run. With stages gates are fitted by a whole model, so that the file then
 * has the bits of the others with stages.
 */
@Tag("any-kernels")
class LayoutsContractTest {
  private static final boolean ALL = "all".equals(System.getProperty("sortie.layouts"));
  private static final Map<Kind, TinyTuning.Result> FIRST = new ConcurrentHashMap<>();

  @TempDir static Path shared;
  @TempDir Path out;

  private final Queue<String> errors = new ConcurrentLinkedQueue<>();

  /**
   * One layout.
   *
   * @param sequence whether ranks that share weights share out the tokens too
   */
  record Layout(int tp, int dp, int pp, boolean sequence) {
    Mesh mesh() {
      return new Mesh(tp, 1, dp, pp);
    }

    /** What it has the bits of. */
    Kind kind() {
      return new Kind(tp, sequence, tp > 1 && pp > 1);
    }
  }

  /** Layouts whose exits files are the same. */
  private record Kind(int tp, boolean sequence, boolean stages) {
    Layout simplest() {
      return new Layout(tp, 1, stages ? 2 : 1, sequence);
    }
  }

  @BeforeAll
  static void makeModel() {
    Path model = TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    TinyTuning.writeExits(model, shared.resolve("exits"), false);
  }

  private static TinyTuning tuning(boolean sequence) {
    return new TinyTuning(
        shared.resolve("model"),
        shared.resolve("exits"),
        Objective.KL,
        sequence,
        TinyTuning.STEPS,
        t -> {});
  }

  static List<Layout> every() {
    List<Layout> layouts = new ArrayList<>();
    for (int tp = 1; tp <= 4; tp *= 2) {
      for (int dp = 1; dp <= 4; dp *= 2) {
        for (int pp = 1; pp <= 4 && tp * dp * pp <= 8; pp *= 2) {
          layouts.add(new Layout(tp, dp, pp, false));
          if (tp > 1) {
            layouts.add(new Layout(tp, dp, pp, true));
          }
        }
      }
    }
    return layouts;
  }

  private static List<Layout> all(Layout... some) {
    return ALL ? every() : List.of(some);
  }

  static List<Layout> threads() {
    return all(
        new Layout(1, 2, 2, false),
        new Layout(2, 1, 4, false),
        new Layout(2, 2, 1, true),
        new Layout(2, 2, 2, true),
        new Layout(2, 2, 2, false),
        new Layout(4, 1, 2, false));
  }

  static List<Layout> tcp() {
    return all(new Layout(1, 2, 2, false), new Layout(2, 1, 2, false), new Layout(2, 2, 1, true));
  }

  static Stream<Layout> sharedMemoryProcesses() {
    return all(new Layout(2, 1, 2, true)).stream();
  }

  static Stream<Layout> tcpProcesses() {
    return all(new Layout(1, 2, 2, false)).stream();
  }

  /** The simplest layout of its kind, once for all tests. */
  private static TinyTuning.Result first(Kind kind) throws Exception {
    if (!FIRST.containsKey(kind)) {
      Path folder = shared.resolve("first " + kind.tp + kind.sequence + kind.stages);
      FIRST.put(kind, tuning(kind.sequence).run(folder, kind.simplest().mesh()));
      near(first(new Kind(1, false, false)), FIRST.get(kind));
    }
    return FIRST.get(kind);
  }

  private static void near(TinyTuning.Result alone, TinyTuning.Result other) {
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

  private void sameBits(Layout layout, TinyTuning.Joining joining) throws Exception {
    TinyTuning.Result first = first(layout.kind());
    for (TinyTuning.Result r : tuning(layout.sequence).all(out, layout.mesh(), joining)) {
      assertThat(r.outcome().history().losses()).isEqualTo(first.outcome().history().losses());
      assertThat(r.outcome().history().validations())
          .isEqualTo(first.outcome().history().validations());
    }
    assertThat(Sha256.of(out.resolve(ExitsFile.TENSORS))).isEqualTo(first.sha256());
  }

  @ParameterizedTest
  @MethodSource("threads")
  void asThreads(Layout layout) throws Exception {
    sameBits(layout, TinyTuning.Joining.THREADS);
  }

  @ParameterizedTest
  @MethodSource("tcp")
  void asThreadsOverTcp(Layout layout) throws Exception {
    sameBits(layout, TinyTuning.Joining.TCP);
  }

  private void sameFile(Layout layout, String transport) throws Exception {
    int code =
        TuneRank.launch(
            tuning(layout.sequence), out, layout.mesh(), transport, TuneRank.Kill.NEVER, errors);
    assertThat(code).as(String.join("\n", errors)).isZero();
    assertThat(Sha256.of(out.resolve(ExitsFile.TENSORS))).isEqualTo(first(layout.kind()).sha256());
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
