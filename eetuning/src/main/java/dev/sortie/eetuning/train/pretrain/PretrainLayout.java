package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.BatchSizes;
import dev.sortie.nn.UsageException;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.parallel.pipeline.TrainingSchedule;

/**
 * How the stages of a pipeline take turns in full training. It does not change the result.
 *
 * @param schedule who does what when
 * @param chunks chunks of the model that each stage has; 1 but for the interleaved schedule
 */
public record PretrainLayout(TrainingSchedule schedule, int chunks) {
  /** 1F1B. */
  public static final PretrainLayout USUAL =
      new PretrainLayout(TrainingSchedule.ONE_FORWARD_ONE_BACKWARD, 1);

  public PretrainLayout {
    if (chunks < 1) {
      throw new UsageException("--chunks " + chunks + " must be at least 1");
    }
    if (schedule != TrainingSchedule.INTERLEAVED && chunks > 1) {
      throw new UsageException(
          "--chunks %d is for --schedule interleaved; leave it out with %s"
              .formatted(chunks, schedule.word()));
    }
  }

  /**
   * By its word.
   *
   * @param chunks null for the usual number
   */
  public static PretrainLayout of(String word, Integer chunks) {
    for (TrainingSchedule s : TrainingSchedule.values()) {
      if (s.word().equals(word)) {
        int usual = s == TrainingSchedule.INTERLEAVED ? 2 : 1;
        return new PretrainLayout(s, chunks == null ? usual : chunks);
      }
    }
    throw new UsageException(
        "--schedule '" + word + "' is unknown; take gpipe, 1f1b or interleaved");
  }

  /** The chain of chunks on so many stages. */
  public Chain chain(int stages) {
    return new Chain(stages, stages == 1 ? 1 : chunks);
  }

  /**
   * Refuses a mesh on which the micro-batches of a step have no such schedule, or exits no start.
   */
  public void check(PretrainOptions options, Mesh mesh) {
    BatchSizes.checkReplicas(options.microBatch(), options.globalBatch(), mesh.dp());
    int rounds = options.microBatches() / mesh.dp();
    if (schedule == TrainingSchedule.INTERLEAVED && rounds % mesh.pp() != 0) {
      throw new UsageException(
          "--schedule interleaved with --pp %d needs a multiple of %d micro-batches per step on each replica, there are %d; change --global-batch or take 1f1b"
              .formatted(mesh.pp(), mesh.pp(), rounds));
    }
    if (mesh.pp() > 1 && options.start().isPresent() && !options.exits().specs().isEmpty()) {
      throw new UsageException(
          "--pp %d with --model and --exits-at: new exits begin as copies of the last layers, which other stages do not have; leave out one of the three"
              .formatted(mesh.pp()));
    }
  }
}
