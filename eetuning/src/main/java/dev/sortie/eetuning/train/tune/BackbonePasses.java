package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.HiddenState;
import dev.sortie.eetuning.train.data.Batch;
import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Workspace;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;

/** The passes of micro-batches through the frozen backbone. */
interface BackbonePasses extends AutoCloseable {

  /** Takes what a pass has computed. */
  @FunctionalInterface
  interface User {
    /**
     * @param number of the micro-batch in its stream
     * @param states at the depths that this rank's exits read; valid for the call
     */
    void take(long number, Microbatch batch, Batch tensors, Map<Integer, HiddenState> states);
  }

  /** Passes of micro-batches {@code first ..} of the training stream, in this order. */
  void training(long first, int count, User user);

  /** Passes of {@code count} micro-batches of held-out windows. */
  void heldOut(LongFunction<Microbatch> batches, int count, User user);

  /** The most bytes of temporaries until now, but for those in the workspace of the user. */
  long workspaceBytes();

  @Override
  void close();

  /** All layers on this rank, in the workspace of the user. */
  record Whole(
      Ops ops,
      Workspace workspace,
      FeatureSource backbone,
      Set<Integer> depths,
      LongFunction<Microbatch> stream)
      implements BackbonePasses {

    @Override
    public void training(long first, int count, User user) {
      for (long i = first; i < first + count; i++) {
        pass(i, stream.apply(i), user);
      }
    }

    @Override
    public void heldOut(LongFunction<Microbatch> batches, int count, User user) {
      for (int i = 0; i < count; i++) {
        pass(i, batches.apply(i), user);
      }
    }

    private void pass(long number, Microbatch batch, User user) {
      try (var _ = workspace.mark()) {
        Batch tensors = Batch.of(workspace, batch.windows());
        Map<Integer, HiddenState> states =
            NoGrad.call(() -> backbone.states(ops, tensors.inputs(), batch.numbers(), depths));
        user.take(number, batch, tensors, states);
      }
    }

    @Override
    public long workspaceBytes() {
      return 0;
    }

    @Override
    public void close() {}
  }
}
