package dev.sortie.eetuning.train;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Path;
import java.util.List;

/** Kinds of training that end with the same bits under several layouts. */
enum TinyKind {
  /** Replicas and stages that tune exits. */
  TUNE(List.of(mesh(1, 1, 1), mesh(1, 2, 1), mesh(1, 1, 2), mesh(1, 2, 2), mesh(1, 1, 3))) {
    @Override
    TinyTraining training(Path shared) {
      return tuning(shared, Objective.CE, false);
    }
  },
  /** The same with checkpoints that are written during the next steps. */
  TUNE_ASYNC(List.of(mesh(1, 1, 1), mesh(1, 2, 1), mesh(1, 1, 2), mesh(1, 2, 2))) {
    @Override
    TinyTraining training(Path shared) {
      return tuning(shared, Objective.KL, false);
    }
  },
  /** Ranks that share weights and tokens, replicas and stages of them. */
  TUNE_SHARES(List.of(mesh(2, 1, 1), mesh(2, 2, 1), mesh(2, 1, 2))) {
    @Override
    TinyTraining training(Path shared) {
      return tuning(shared, Objective.CE, true);
    }
  },
  /** Replicas and stages that train from scratch, with exits. */
  PRETRAIN(List.of(mesh(1, 1, 1), mesh(1, 2, 1), mesh(1, 1, 2), mesh(1, 2, 2), mesh(1, 1, 3))) {
    @Override
    TinyTraining training(Path shared) {
      return pretraining();
    }
  },
  /** The same with checkpoints that are written during the next steps. */
  PRETRAIN_ASYNC(List.of(mesh(1, 1, 1), mesh(1, 2, 1), mesh(1, 1, 2), mesh(1, 2, 2))) {
    @Override
    TinyTraining training(Path shared) {
      return pretraining().savingAsync();
    }
  },
  /** Ranks that share weights, replicas and stages of them. */
  PRETRAIN_SHARES(List.of(mesh(2, 1, 1), mesh(2, 2, 1), mesh(2, 1, 2))) {
    @Override
    TinyTraining training(Path shared) {
      return pretraining();
    }
  };

  private final List<Mesh> layouts;

  TinyKind(List<Mesh> layouts) {
    this.layouts = layouts;
  }

  private static Mesh mesh(int tp, int dp, int pp) {
    return new Mesh(tp, dp, pp);
  }

  private static TinyPretraining pretraining() {
    return new TinyPretraining(TinyPretraining.Model.TIED, TinyTraining.STEPS);
  }

  private static TinyTuning tuning(Path shared, Objective objective, boolean sequence) {
    return new TinyTuning(
        shared.resolve("model"),
        shared.resolve("exits"),
        objective,
        sequence,
        TinyTraining.STEPS,
        t -> {});
  }

  /** Makes the model and the exits that tuning begins with. */
  static void prepare(Path shared) {
    Path model = TinyModel.write(shared.resolve("model"), 4, 16, 290, 1);
    TinyTuning.writeExits(model, shared.resolve("exits"), false);
  }

  /**
   * What is trained.
   *
   * @param shared folder that {@link #prepare} has filled
   */
  abstract TinyTraining training(Path shared);

  /** Layouts with the same bits; on each stage something is trained. The first is the simplest. */
  List<Mesh> layouts() {
    return layouts;
  }

  /** The hash of an undisturbed run under the simplest layout. */
  String undisturbed(Path shared) throws Exception {
    return training(shared).run(undisturbedFolder(shared), layouts.getFirst()).sha256();
  }

  /** The folder of that run. */
  Path undisturbedFolder(Path shared) {
    return shared.resolve("undisturbed " + this);
  }
}
