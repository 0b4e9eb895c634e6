package dev.sortie.tests;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.Random;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One way to tune exits of the tiny model. Each call of {@link #run} is what a new process does: it
 * loads the model, makes the exits and resumes from the checkpoints in its folder.
 *
 * @param model the model's folder
 * @param exits architectures by depth
 * @param options what decides the result
 * @param dataSeed chooses the rows that are trained on
 * @param threads for computing
 */
record Tuning(
    Path model,
    SortedMap<Integer, ExitArchitecture> exits,
    TuneOptions options,
    long dataSeed,
    int threads) {
  static final int STEPS = 20;
  static final int CHECKPOINT_EVERY = 5;

  private static final int LENGTH = 16;

  /** Two exits, cross-entropy, micro-batches that are accumulated, one thread. */
  static Tuning of(Path model) {
    TuneOptions options =
        new TuneOptions(
            Objective.CE,
            false,
            Map.of(),
            2,
            4,
            new Schedule(1e-2, 1e-3, 3, STEPS, Schedule.Decay.COSINE),
            AdamW.Options.DEFAULT,
            5);
    return new Tuning(
        model,
        new TreeMap<>(Map.of(1, ExitArchitecture.MLP, 3, ExitArchitecture.LAYER)),
        options,
        1,
        1);
  }

  Tuning with(TuneOptions other) {
    return new Tuning(model, exits, other, dataSeed, threads);
  }

  Tuning with(Map<Integer, ExitArchitecture> other) {
    return new Tuning(model, new TreeMap<>(other), options, dataSeed, threads);
  }

  Tuning withDataSeed(long other) {
    return new Tuning(model, exits, options, other, threads);
  }

  Tuning withThreads(int other) {
    return new Tuning(model, exits, options, dataSeed, other);
  }

  /** What a run said of itself. */
  record Report(TrainLoop.Outcome outcome, List<Integer> resumedAt) {}

  /** Runs to the end and writes the exits into {@code out}. */
  Report run(Path out) {
    return run(out, STEPS);
  }

  /** Runs until {@code stopAt} steps are done, or to the end. */
  Report run(Path out, int stopAt) {
    List<Integer> resumed = new ArrayList<>();
    try (Bench bench = Bench.open(threads);
        LanguageModel loaded = LanguageModel.load(model, Precision.F32, bench.device());
        ExitTuner tuner =
            new ExitTuner(
                loaded,
                start(loaded, bench),
                options,
                new RowsSource(rows(), 3, options.seed()),
                bench.device())) {
      int[] done = new int[1];
      TrainLoop loop =
          new TrainLoop(
              tuner,
              new LoopOptions(out, STEPS, CHECKPOINT_EVERY, 7),
              bench.kernels(),
              new TrainLoop.Listener() {
                @Override
                public void resumed(int step) {
                  resumed.add(step);
                }

                @Override
                public void step(int steps, Map<String, Double> losses, double rate) {
                  done[0] = steps;
                }

                @Override
                public void validated(int steps, Map<String, Double> losses) {}
              },
              () -> done[0] >= stopAt);
      TrainLoop.Outcome outcome = loop.run();
      if (outcome.finished()) {
        ExitsFile.write(out, tuner.exits(options.describe()), loaded);
      }
      return new Report(outcome, resumed);
    }
  }

  private Exits start(LanguageModel loaded, Bench bench) {
    List<Exit> list = new ArrayList<>();
    exits.forEach(
        (depth, architecture) ->
            list.add(
                ExitInit.RANDOM.build(
                    new ExitSpec(depth, architecture, true),
                    loaded.decoder(),
                    9,
                    bench.arena(),
                    bench.kernels())));
    return new Exits(loaded.sha256(), Map.of(), list);
  }

  private int[][] rows() {
    Random random = new Random(dataSeed, 0);
    int[][] rows = new int[40][LENGTH + 1];
    for (int i = 0; i < rows.length * (LENGTH + 1); i++) {
      rows[i / (LENGTH + 1)][i % (LENGTH + 1)] = random.below(i, TinyModel.CONFIG.vocab());
    }
    return rows;
  }
}
