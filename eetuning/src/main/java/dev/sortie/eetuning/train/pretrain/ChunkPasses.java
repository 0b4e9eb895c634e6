package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.data.Microbatch;
import dev.sortie.eetuning.train.rank.GradientAccumulator;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.InFlightMicrobatch;
import dev.sortie.parallel.comm.Elements;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.parallel.pipeline.ComputationType;
import dev.sortie.parallel.pipeline.ScheduleRunner;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.Allocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * What one stage does of the passes of full training: its model chunks forward and backward in the
 * order of a schedule, hidden states forward and gradients back while it computes.
 */
final class ChunkPasses implements AutoCloseable {
  private final ProcessGroups groups;
  private final Chain chain;
  private final List<ModelChunk> chunks;
  private final Device device;
  private final PendingReceives.Pool pool;
  private final List<InFlightMicrobatch> all = new ArrayList<>();
  private final Deque<InFlightMicrobatch> free = new ArrayDeque<>();
  private Optional<PendingReceives> open = Optional.empty();

  /**
   * @param chunks of this stage, by chunk
   * @param allocator for messages
   * @param message elements of the largest message
   */
  ChunkPasses(
      ProcessGroups groups,
      Chain chain,
      List<ModelChunk> chunks,
      Device device,
      Allocator allocator,
      long message) {
    this.groups = groups;
    this.chain = chain;
    this.chunks = chunks;
    this.device = device;
    this.pool = new PendingReceives.Pool(allocator, message);
  }

  /**
   * Forward and backward passes of a step.
   *
   * @param actions of all stages
   * @param batches by number in the step
   * @param aims by number in the step
   */
  void train(
      List<List<Action>> actions,
      LongFunction<Microbatch> batches,
      LongFunction<ModelChunk.Aim> aims,
      GradientAccumulator sums,
      Consumer<Timed> trace) {
    new ScheduleRun(actions, batches, aims, sums).run(trace);
  }

  /**
   * Forward passes; call it where nothing is recorded.
   *
   * @param count of micro-batches
   */
  void evaluate(int count, LongFunction<Microbatch> batches, LongFunction<ModelChunk.Aim> aims) {
    List<Action> forwards = TrainingSchedule.forwards(chain, count);
    new ScheduleRun(Collections.nCopies(chain.stages(), forwards), batches, aims, null)
        .run(t -> {});
  }

  /**
   * The most bytes of temporaries of each micro-batch in inFlight, all together, and of messages.
   */
  long workspaceBytes() {
    return all.stream().mapToLong(f -> f.ops().workspace().peak()).sum() + pool.bytes();
  }

  /** One run of a schedule. */
  private final class ScheduleRun {
    private final List<Action> mine;
    private final LongFunction<Microbatch> batches;
    private final LongFunction<ModelChunk.Aim> aims;
    private final GradientAccumulator sums;
    private final PendingReceives receives;
    private final Deque<Action> ahead;
    private final Map<Action, Waiting> waiting = new HashMap<>();
    private Optional<PendingReceives.Message> message = Optional.empty();

    /** A micro-batch that has gone forward, by the action that takes it back. */
    private record Waiting(ModelChunk.Trail trail, Optional<PendingReceives.Message> input) {}

    /**
     * @param sums null for forward passes alone
     */
    ScheduleRun(
        List<List<Action>> actions,
        LongFunction<Microbatch> batches,
        LongFunction<ModelChunk.Aim> aims,
        GradientAccumulator sums) {
      this.mine = actions.get(groups.coordinates().pp());
      this.batches = batches;
      this.aims = aims;
      this.sums = sums;
      this.receives = new PendingReceives(groups, chain, actions, pool, a -> shape(a.microBatch()));
      this.ahead = new ArrayDeque<>(mine);
      open = Optional.of(receives);
    }

    private Shape shape(long microBatch) {
      int[][] windows = batches.apply(microBatch).windows();
      return chunks.getFirst().message(windows.length, windows[0].length - 1);
    }

    void run(Consumer<Timed> trace) {
      new ScheduleRunner(groups.coordinates().pp(), this::ready, this::perform, trace).run(mine);
      open = Optional.empty();
    }

    private void ready(Action action) {
      message = receives.take(action);
      message.ifPresent(PendingReceives.Message::read);
      ahead.remove();
      if (!ahead.isEmpty()) {
        receives.expect(ahead.peek()); // it comes while this one is computed
      }
    }

    private void perform(Action action) {
      switch (action.type()) {
        case FORWARD -> forward(action);
        case BACKWARD -> backward(action);
        case TRAIN -> throw new IllegalStateException("nothing trains alone: " + action);
      }
    }

    private void forward(Action action) {
      ModelChunk chunk = chunks.get(action.chunk());
      InFlightMicrobatch inFlight = free();
      inFlight.begin(batches.apply(action.microBatch()));
      Optional<Tensor> in = message.map(PendingReceives.Message::read);
      if (sums == null) {
        send(action, inFlight, chunk.evaluate(inFlight, in, aims.apply(action.microBatch())));
        message.ifPresent(PendingReceives.Message::release);
        free.add(inFlight);
        return;
      }
      ModelChunk.Trail trail = chunk.forward(inFlight, in);
      send(action, inFlight, trail.out());
      Action back = new Action(ComputationType.BACKWARD, action.microBatch(), action.chunk());
      waiting.put(back, new Waiting(trail, message));
    }

    private void backward(Action action) {
      Waiting w = waiting.remove(action);
      int m = (int) action.microBatch();
      Optional<Tensor> behind = message.map(PendingReceives.Message::read);
      Optional<Tensor> dx =
          chunks.get(action.chunk()).backward(w.trail, m, behind, aims.apply(m), sums);
      InFlightMicrobatch inFlight = w.trail.inFlight();
      dx.ifPresent(t -> send(action, inFlight, t));
      w.input.ifPresent(PendingReceives.Message::release);
      message.ifPresent(PendingReceives.Message::release);
      free.add(inFlight);
    }

    private void send(Action action, InFlightMicrobatch inFlight, Tensor t) {
      chain
          .feeds(new Chain.Step(groups.coordinates().pp(), action))
          .ifPresent(to -> inFlight.sends(groups.startSend(Elements.of(t.span()), to.stage())));
    }
  }

  private InFlightMicrobatch free() {
    if (free.isEmpty()) {
      free.add(new InFlightMicrobatch(device));
      all.add(free.peek());
    }
    return free.remove();
  }

  @Override
  public void close() {
    open.ifPresent(PendingReceives::close);
    all.forEach(InFlightMicrobatch::close);
  }
}
