package dev.sortie.eetuning.train.tune;

import static dev.sortie.eetuning.train.tune.TunePlacement.on;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.exit.DraftVocabulary;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.Lookahead;
import dev.sortie.eetuning.train.TinyRanks;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Draft heads, lookahead exits and the feature cache under tuning. */
class DraftTuningContractTest {
  private static final int ROWS = 24;
  private static final int LENGTH = 20;
  private static final int DRAFT = 40;

  @TempDir private Path temp;

  private final Device device = Device.cpu(2);
  private final NativeArena arena = new NativeArena("test");
  private LanguageModel model;
  private RowsSource data;

  @BeforeEach
  void load() {
    model = LanguageModel.load(TinyModel.write(temp.resolve("model"), 1), Precision.F32, device);
    // tokens of the upper half, so that the lowest ids are the wrong choice
    int vocab = model.config().decoder().vocab();
    Random random = new Random(2, 0);
    int[][] rows = new int[ROWS][LENGTH + 1];
    for (int i = 0; i < ROWS * (LENGTH + 1); i++) {
      rows[i / (LENGTH + 1)][i % (LENGTH + 1)] = vocab - 1 - random.below(i, 50);
    }
    data = new RowsSource(rows, 4, 3);
  }

  @AfterEach
  void close() {
    model.close();
    arena.close();
    device.close();
  }

  private TuneOptions options(Objective objective, LookaheadOptions lookahead) {
    return new TuneOptions(
        objective,
        false,
        Map.of(),
        4,
        8,
        new Schedule(1e-2, 1e-2, 0, 100, Schedule.Decay.CONSTANT),
        AdamW.Options.DEFAULT,
        5,
        lookahead);
  }

  private Exit exit(int depth, ExitArchitecture architecture, boolean own, int draft) {
    return ExitInit.COPY.build(
        new ExitSpec(depth, architecture, own, draft), model.decoder(), 7, arena, device.kernels());
  }

  private Exits exits(boolean lookahead, Exit... list) {
    return new Exits(
        model.sha256(),
        Map.of(),
        List.of(list),
        lookahead ? Optional.of(lookahead(ExitInit.COPY, List.of())) : Optional.empty());
  }

  private Lookahead lookahead(ExitInit init, List<Integer> features) {
    return init.lookahead(features, false, DRAFT, model.decoder(), 7, arena, device.kernels());
  }

  @Test
  void sequencesThatAreNoLongerThanALookaheadExitLooksAreRefused() {
    TuneOptions options = options(Objective.KL, new LookaheadOptions(3, 0));
    DecoderConfig config = model.config().decoder();
    assertThatThrownBy(() -> options.check(config, exits(true), 3))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--seq-len 3")
        .hasMessageContaining("--lookahead-unroll 3");
    options.check(config, exits(false), 3);
    options.check(config, exits(true), 4);
    RowsSource shortest = new RowsSource(new int[8][4 + 1], 0, 3);
    try (ExitTuner tuner = new ExitTuner(model, exits(true), options, shortest, device)) {
      assertThat(tuner.step(0).values()).allMatch(Double::isFinite);
    }
  }

  @Test
  void theTokensOfADraftHeadAreTheMostFrequentOnesOfTheData() {
    int vocab = model.config().decoder().vocab();
    Exits start = exits(true, exit(1, ExitArchitecture.NORM, true, DRAFT));
    TuneOptions options = options(Objective.KL, LookaheadOptions.DEFAULT);
    try (ExitTuner tuner = new ExitTuner(model, start, options, data, device)) {
      Exits tuned = tuner.exits(tuner.describe());
      DraftVocabulary draft = tuned.exits().getFirst().draft().orElseThrow();
      assertThat(draft).isEqualTo(DraftVocabulary.mostFrequent(data.counts(vocab), DRAFT));
      assertThat(IntStream.of(draft.ids()).filter(id -> id >= vocab - 50).count()).isEqualTo(DRAFT);
      assertThat(tuned.lookahead().orElseThrow().draft()).contains(draft);
      assertThat(tuned.tuning().get("draft_coverage"))
          .isEqualTo(
              Map.of(
                  "1",
                  draft.coverage(data.counts(vocab)),
                  "3",
                  draft.coverage(data.counts(vocab))));
      // an own head begins with the backbone's rows of these tokens
      for (int i = 0; i < DRAFT; i++) {
        for (int c = 0; c < 16; c++) {
          assertThat(tuned.exits().getFirst().parameters().get("head.weight").get(i, c))
              .isEqualTo(model.decoder().head().weight().get(draft.id(i), c));
        }
      }
      // exits that were tuned keep theirs
      RowsSource other = new RowsSource(new int[ROWS][LENGTH + 1], 4, 3);
      try (ExitTuner again = new ExitTuner(model, tuned, options, other, device)) {
        assertThat(again.exits(Map.of()).exits().getFirst().draft()).contains(draft);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Objective.class)
  void draftHeadsAndALookaheadExitLearn(Objective objective) {
    Exits start =
        exits(
            true,
            exit(1, ExitArchitecture.LAYER, false, DRAFT),
            exit(2, ExitArchitecture.MLP, true, 0));
    TuneOptions options = options(objective, new LookaheadOptions(2, 0.1));
    try (ExitTuner tuner = new ExitTuner(model, start, options, data, device)) {
      assertThat(tuner.lossNames()).containsExactly("1", "2", "3");
      Map<String, Double> before = tuner.step(0);
      for (int i = 1; i < 30; i++) {
        tuner.step(i);
      }
      Map<String, Double> after = tuner.step(0);
      before.forEach((name, loss) -> assertThat(after.get(name)).as(name).isLessThan(0.95 * loss));
    }
  }

  /** Copied, the shallow layers begin at 0; what they learn must reach their projections. */
  @ParameterizedTest
  @EnumSource(ExitInit.class)
  void aLookaheadExitLearnsFromSeveralLayers(ExitInit init) {
    Lookahead ahead = lookahead(init, List.of(1, 2));
    Exits start = new Exits(model.sha256(), Map.of(), List.of(), Optional.of(ahead));
    TuneOptions options = options(Objective.KL, new LookaheadOptions(3, 0));
    try (ExitTuner tuner = new ExitTuner(model, start, options, data, device)) {
      double before = tuner.step(0).get("3");
      for (int i = 1; i < 30; i++) {
        tuner.step(i);
      }
      assertThat(tuner.step(0).get("3")).isLessThan(0.9 * before);
      Lookahead tuned = tuner.exits(Map.of()).lookahead().orElseThrow();
      assertThat(tuned.features()).containsExactly(1, 2);
      for (String name : List.of("feature_proj.1.weight", "feature_norm.1.weight")) {
        assertThat(tuned.parameters().get(name).toFloats())
            .as(name)
            .isNotEqualTo(ahead.parameters().get(name).toFloats());
      }
    }
  }

  /** The definition: of the backbone's distribution what the draft head covers, renormalised. */
  @Test
  void theDivergenceOfADraftHeadIsToTheRenormalisedTeacher() {
    int layers = model.config().decoder().layers();
    Exits whole = exits(false, exit(layers - 1, ExitArchitecture.LAYER, false, 0));
    Exits drafted = exits(false, exit(layers - 1, ExitArchitecture.LAYER, false, DRAFT));
    TuneOptions options = options(Objective.KL, LookaheadOptions.DEFAULT);
    try (ExitTuner one = new ExitTuner(model, whole, options, data, device);
        ExitTuner other = new ExitTuner(model, drafted, options, data, device)) {
      // a copy of the last layer before it is the final layer itself, over any set of tokens
      assertThat(one.validate().get("2")).isCloseTo(0, within(1e-6));
      assertThat(other.validate().get("2")).isCloseTo(0, within(1e-6));
    }
  }

  private FeatureCache cache(Path parent, Exits start) {
    return FeatureCache.open(parent, model, data, start, device.kernels(), ProcessGroups.single());
  }

  @Test
  void theFeatureCacheChangesNoBit() throws Exception {
    Exits start =
        new Exits(
            model.sha256(),
            Map.of(),
            List.of(exit(2, ExitArchitecture.MLP, true, 0)),
            Optional.of(lookahead(ExitInit.COPY, List.of(1, 3))));
    TuneOptions options = options(Objective.KL, LookaheadOptions.DEFAULT);
    Path parent = temp.resolve("features");
    try (ExitTuner plain = new ExitTuner(model, start, options, data, device)) {
      for (int run = 0; run < 2; run++) {
        try (FeatureCache cache = cache(parent, start);
            ExitTuner cached =
                new ExitTuner(
                    model, start, options, data, device, on(ProcessGroups.single()).with(cache))) {
          for (int i = 0; i < 12 && run == 0; i++) {
            assertThat(cached.step(i)).isEqualTo(plain.step(i));
          }
          assertThat(cached.validate()).hasSize(2);
          assertThat(cache.bytes()).isEqualTo(4L * ROWS * LENGTH * 16 * 4);
        }
      }
      Path folder = Files.list(parent).findFirst().orElseThrow();
      assertThat(Files.readAllBytes(folder.resolve("3.hidden.filled"))).containsOnly(1);
    }
  }

  /** Kernels for few rows, as of one short window, give other bits than those for many. */
  @Test
  void aCacheThatAnotherMicroBatchHasFilledChangesNoBit() {
    int length = Kernels.ROW_STABLE / 2;
    int[][] rows = new int[ROWS][length + 1];
    Random random = new Random(4, 0);
    for (int i = 0; i < ROWS * (length + 1); i++) {
      rows[i / (length + 1)][i % (length + 1)] = random.below(i, 200);
    }
    RowsSource few = new RowsSource(rows, 4, 3);
    Exits start = exits(false, exit(1, ExitArchitecture.LAYER, false, DRAFT));
    TuneOptions usual = options(Objective.KL, LookaheadOptions.DEFAULT);
    for (int[] sizes : new int[][] {{1, 4}, {4, 1}, {1, 1}}) {
      Path parent = temp.resolve("features" + sizes[0] + sizes[1]);
      List<Map<String, Double>> found = List.of();
      for (int size : sizes) {
        try (FeatureCache cache =
                FeatureCache.open(
                    parent, model, few, start, device.kernels(), ProcessGroups.single());
            ExitTuner tuner =
                new ExitTuner(
                    model,
                    start,
                    usual.with(size, 2),
                    few,
                    device,
                    on(ProcessGroups.single()).with(cache))) {
          found = losses(tuner);
        }
      }
      try (ExitTuner plain = new ExitTuner(model, start, usual.with(sizes[1], 2), few, device)) {
        assertThat(found).as("%d after %d", sizes[1], sizes[0]).isEqualTo(losses(plain));
      }
    }
  }

  @Test
  void replicasFillOneCacheTogetherAndChangeNoBit() throws Exception {
    Exits start = exits(false, exit(1, ExitArchitecture.LAYER, false, DRAFT));
    TuneOptions options = options(Objective.KL, LookaheadOptions.DEFAULT);
    Path parent = temp.resolve("features");
    List<Map<String, Double>> expected;
    try (ExitTuner plain = new ExitTuner(model, start, options, data, device)) {
      expected = losses(plain);
    }
    for (int run = 0; run < 2; run++) {
      List<List<Map<String, Double>>> found =
          TinyRanks.run(
              new Mesh(1, 2, 1),
              TinyRanks.Joining.THREADS,
              groups -> {
                try (groups;
                    Device own = Device.cpu(1);
                    FeatureCache cache =
                        FeatureCache.open(parent, model, data, start, own.kernels(), groups);
                    ExitTuner tuner =
                        new ExitTuner(model, start, options, data, own, on(groups).with(cache))) {
                  return losses(tuner);
                }
              });
      assertThat(found).containsOnly(expected);
    }
    Path folder = Files.list(parent).findFirst().orElseThrow();
    byte[] one = Files.readAllBytes(folder.resolve("3.hidden.filled"));
    byte[] other = Files.readAllBytes(folder.resolve("3.hidden.filled-1"));
    assertThat(one).hasSize(ROWS).contains(1);
    for (int i = 0; i < ROWS; i++) {
      assertThat(one[i] | other[i]).as("row %d", i).isOne();
    }
  }

  private static List<Map<String, Double>> losses(ExitTuner tuner) {
    List<Map<String, Double>> losses = new ArrayList<>();
    for (int step = 0; step < 12; step++) {
      losses.add(tuner.step(step));
    }
    losses.add(tuner.validate());
    return losses;
  }

  /** What a kill leaves: rows that the list does not name are computed again. */
  @Test
  void rowsOfTheCacheThatWereNotSavedAreComputedAgain() throws Exception {
    Exits start = exits(false, exit(1, ExitArchitecture.LAYER, false, DRAFT));
    TuneOptions options = options(Objective.KL, LookaheadOptions.DEFAULT);
    Path parent = temp.resolve("features");
    Map<String, Double> expected;
    try (FeatureCache cache = cache(parent, start);
        ExitTuner tuner =
            new ExitTuner(
                model, start, options, data, device, on(ProcessGroups.single()).with(cache))) {
      expected = tuner.validate();
    }
    Path folder = Files.list(parent).findFirst().orElseThrow();
    Files.delete(folder.resolve("1.hidden.filled"));
    Files.write(folder.resolve("1.hidden"), new byte[(int) Files.size(folder.resolve("1.hidden"))]);
    try (FeatureCache cache = cache(parent, start);
        ExitTuner tuner =
            new ExitTuner(
                model, start, options, data, device, on(ProcessGroups.single()).with(cache))) {
      assertThat(tuner.validate()).isEqualTo(expected);
    }
  }
}
