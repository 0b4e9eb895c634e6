package dev.sortie.eetuning.train.checkpoint;

/** Is told what happens to a run's checkpoints. */
public interface CheckpointListener {

  /** The moments of a checkpoint, in order; a rank that dies at any of them costs nothing. */
  enum Moment {
    /** Nothing is done yet. */
    BEGIN,
    /** The folder is there; this rank writes its file next. */
    FOLDER_MADE,
    /** Half of this rank's tensors are in a temporary file. */
    SHARD_HALF_WRITTEN,
    /** This rank's file is on the disk. */
    SHARD_WRITTEN,
    /** All ranks' files are on the disk. */
    ALL_SHARDS_WRITTEN,
    /** The description is on the disk, on rank 0. */
    DESCRIBED,
    /** The folder has its name, on rank 0: the checkpoint is whole. */
    NAMED,
    /** Old checkpoints are deleted. */
    END
  }

  /**
   * A checkpoint has come to some moment on this rank. Called on whatever thread writes.
   *
   * @param done steps
   */
  default void saving(int done, Moment moment) {}

  /** A checkpoint is damaged and an earlier one is looked for; one line that says why. */
  default void skipped(String line) {}
}
