package dev.sortie.eetuning.train.checkpoint;

import dev.sortie.eetuning.train.LossHistory;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Checkpoints that are written while the next steps run, one at a time: from a copy, which each
 * rank makes of what it answers for. A checkpoint is none before all files are on the disk; the
 * ranks look for that after each step, and see an error there. All ranks make the same calls.
 */
public final class AsyncCheckpointWriter implements AutoCloseable {
  private final Checkpoints checkpoints;
  private final ProcessGroups groups;
  private final Kernels kernels;
  private final NativeArena arena = new NativeArena("copy for a checkpoint");
  private final Map<String, Tensor> copies = new LinkedHashMap<>();
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("sortie-checkpoint").factory());

  private Checkpoints.Saving saving;
  private Future<?> writing;

  public AsyncCheckpointWriter(Checkpoints checkpoints, ProcessGroups groups, Kernels kernels) {
    this.checkpoints = checkpoints;
    this.groups = groups;
    this.kernels = kernels;
  }

  /** Copies the state and begins to write it, once an earlier one is done. A collective call. */
  public void start(int step, TrainingJob job, LossHistory history) {
    finish();
    saving = checkpoints.begin(step, job, copied(job), history);
    writing = thread.submit(saving::write);
  }

  private Map<String, ShardedTensor> copied(TrainingJob job) {
    Map<String, ShardedTensor> parts = new LinkedHashMap<>();
    job.parts()
        .forEach(
            (name, part) -> {
              if (part.portion().first()) {
                Tensor t = part.tensor();
                Tensor copy =
                    copies.computeIfAbsent(name, n -> Tensor.allocate(arena, t.dtype(), t.shape()));
                kernels.copy(t.span(), copy.span());
                parts.put(name, new ShardedTensor(copy, part.portion()));
              }
            });
    return parts;
  }

  /** Ends a checkpoint if all ranks have written their files. A collective call. */
  public void poll() {
    if (saving != null && groups.sum(writing.isDone() ? 1 : 0)[0] == groups.mesh().world()) {
      finish();
    }
  }

  /**
   * Ends when no checkpoint is being written. A collective call.
   *
   * @throws RuntimeException that ended the writing of this rank's file
   */
  public void finish() {
    if (saving == null) {
      return;
    }
    Checkpoints.Saving written = saving;
    saving = null;
    try {
      writing.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException r -> throw r;
        case Error error -> throw error;
        default -> throw new IllegalStateException(e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a checkpoint was written", e);
    }
    written.finish();
  }

  /** Waits for the thread, which reads the copies; what it was writing is no checkpoint then. */
  @Override
  public void close() {
    thread.close();
    arena.close();
  }
}
